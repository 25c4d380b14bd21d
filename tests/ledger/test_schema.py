"""The ledger's tables, and how a file comes to have them."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import duckdb
import msgspec
import pytest

from monitor.errors import LedgerError
from monitor.ledger import queries
from monitor.ledger.columns import (
    BEGIN_COLUMNS,
    COMPUTED_FACTS,
    CONTRACTED_COLUMNS,
    COST_COLUMNS,
    DEFAULTS,
    RECORD_COLUMNS,
)
from monitor.ledger.ledger import Ledger
from monitor.ledger.migrate import migrate
from monitor.ledger.rollup import ROLLUPS, Rollup
from monitor.pricing.units import UNITS
from monitor.records import Begin, Record
from tests.factories import make_record
from tests.world import ALWAYS, World

_KINDS = {
    str: ("VARCHAR", "UUID"),
    int: ("BIGINT", "SMALLINT", "INTEGER"),
    float: ("DOUBLE",),
    bool: ("BOOLEAN",),
    datetime: ("TIMESTAMP",),
    list[str]: ("VARCHAR[]",),
    dict[str, str]: ("MAP(VARCHAR, VARCHAR)",),
    dict[str, int]: ("MAP(VARCHAR, BIGINT)",),
    dict[str, float]: ("MAP(VARCHAR, DOUBLE)",),
}


def _types(world: World, table: str) -> dict[str, str]:
    return dict(world.rows("select column_name, data_type from duckdb_columns() where table_name = ?", table))


def _kind(annotation: Any) -> Any:
    """The type of a field that is not None."""
    if isinstance(annotation, UnionType) or get_origin(annotation) is UnionType:
        (kind,) = (part for part in get_args(annotation) if part is not NoneType)
        return kind
    return annotation


def test_every_field_of_a_record_has_a_column() -> None:
    """In the same order, none missing and none besides."""
    assert tuple(RECORD_COLUMNS) == Record.__struct_fields__


def test_every_field_of_a_begin_line_has_a_column() -> None:
    """In the same order, none missing and none besides."""
    assert Begin.__struct_fields__ == BEGIN_COLUMNS


@pytest.mark.parametrize("field", msgspec.structs.fields(Record), ids=lambda field: field.name)
def test_a_column_has_the_type_of_its_field(field: msgspec.structs.FieldInfo) -> None:
    """What the field can hold, the column can."""
    assert RECORD_COLUMNS[field.name] in _KINDS[_kind(field.type)]


def test_the_usual_values_are_those_that_a_record_leaves_out() -> None:
    """A line does not name them, so the ledger must put in the same."""
    usual = {
        field.name: field.default
        for field in msgspec.structs.fields(Record)
        if field.default not in (None, msgspec.NODEFAULT)
    }
    with duckdb.connect() as connection:
        stated = {name: (connection.execute(f"select {sql}").fetchone() or ())[0] for name, sql in DEFAULTS.items()}

    assert stated == usual


def test_the_migrations_make_the_table_of_requests(shared: World) -> None:
    """Every field of a record, the answering model, and what the drain computes."""
    found = _types(shared, "requests")

    assert {name: found.pop(name) for name in RECORD_COLUMNS} == RECORD_COLUMNS
    assert found == {
        **COMPUTED_FACTS,
        **dict.fromkeys(("model", "pricing_state", "sku_price_id", "tool_sku_price_id", "discount_id"), "VARCHAR"),
        **dict.fromkeys((*COST_COLUMNS, *CONTRACTED_COLUMNS), "DECIMAL(38,18)"),
    }


def test_the_migrations_make_the_table_of_begin_lines(shared: World) -> None:
    """Every field of a begin line, and the segment it came from."""
    assert _types(shared, "begins") == {name: RECORD_COLUMNS[name] for name in BEGIN_COLUMNS} | {"segment": "VARCHAR"}


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.table)
def test_the_migrations_make_the_rollups(shared: World, rollup: Rollup) -> None:
    """Each with its step, its dimensions, its measures, and what is merged."""
    found = _types(shared, rollup.table)
    measures = {name: measure.type.upper() for name, measure in rollup.facts.measures.items()}

    assert {*found} == {rollup.step, *rollup.keys, *measures, "is_merged"}
    assert {name: found[name] for name in measures} == measures


def test_the_migrations_make_the_prices(shared: World) -> None:
    """A column for each unit that can have a price."""
    found = _types(shared, "prices")

    assert {found[unit] for unit in UNITS} == {"DECIMAL(24,18)"}


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    """It tells who did what."""
    path = tmp_path / "ledger.duckdb"
    Ledger.open(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_opening_again_keeps_what_is_stored(tmp_path: Path) -> None:
    """An upgrade that has nothing to do does nothing."""
    record = make_record()
    with World(tmp_path) as world:
        world.store(record)
        before = world.one(record)
    with World(tmp_path) as again:
        assert again.one(record) == before


def test_an_older_ledger_keeps_what_it_knows_of_its_sums(tmp_path: Path) -> None:
    """Its rollup did not count what was priced: where there was a cost, it stands."""
    path = tmp_path / "ledger.duckdb"
    migrate(path, to="0001")
    counts = "calls, errors, interrupted_requests, unknown_requests, unpriced_requests, estimated_requests"
    with duckdb.connect(str(path)) as connection:
        for model, tokens, cost in (("gpt-4o", 7, "0.5"), ("gpt-99", None, None)):
            connection.execute(
                f"insert into usage_hourly (hour, provider_name, model, requests, {counts}, input_tokens, list_cost)"
                " values ('2026-11-20 10:00:00', 'openai', ?, 2, 2, 0, 0, 0, 0, 0, ?, ?)",
                [model, tokens, cost],
            )
    with Ledger.open(path) as ledger:
        groups = {group.value: group.totals for group in queries.by_dimension(ledger, ALWAYS, "model")}

    assert (groups["gpt-4o"].list_cost, groups["gpt-4o"].input_tokens) == (Decimal("0.5"), 7)
    assert (groups["gpt-99"].list_cost, groups["gpt-99"].input_tokens) == (None, None)


def test_a_ledger_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """With a sentence that says what to do, and untouched."""
    path = tmp_path / "ledger.duckdb"
    Ledger.open(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(LedgerError, match=r"made by a newer version of openai-monitor .*9999.*Upgrade openai-monitor"):
        Ledger.open(path)


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """It is not overwritten."""
    path = tmp_path / "ledger.duckdb"
    path.write_bytes(b"something else" * 1_000)

    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open(path)
    assert path.read_bytes().startswith(b"something else")


def test_reading_needs_a_ledger_that_is_there(tmp_path: Path) -> None:
    """Looking makes nothing."""
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open_read_only(tmp_path / "ledger.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_times_do_not_depend_on_the_machine(shared: World) -> None:
    """A moment with any offset is stored as UTC."""
    record = make_record(started_at=datetime.fromisoformat("2026-11-20T14:30:00+05:30"))
    shared.store(record)

    assert shared.one(record)["started_at"].replace(tzinfo=UTC) == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
