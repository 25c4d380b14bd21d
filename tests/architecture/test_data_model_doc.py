"""The page about the data says what the stores hold."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from monitor.capture import breaks, fault_codes
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.ledger.costs import PRICING_STATES
from monitor.ledger.ledger import Ledger
from monitor.records import OUTCOMES, USAGE_SOURCES, Begin, Record
from monitor.spool import trouble
from monitor.spool.format import HeaderLine, is_intact
from tests.architecture.sources import ROOT

_PAGE = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
_ROW = re.compile(r"\| `(?P<name>\w+)` \| (?P<cells>.+) \|")
Columns = dict[str, tuple[str, bool]]
"""Type of each column, and whether it can be null."""


def _sections() -> Iterator[tuple[str, list[re.Match[str]]]]:
    for section in _PAGE.split("\n### ")[1:]:
        name, _, text = section.partition("\n")
        yield name, [match for line in text.splitlines() if (match := _ROW.fullmatch(line))]


_SECTIONS = dict(_sections())
_WORDS = ("outcome", "usage_source", "pricing_state", "error_class")
_SAMPLE = _PAGE.partition("```json\n")[2].partition("```")[0].encode().splitlines()


def _documented(table: str) -> Columns:
    rows = {match["name"]: match["cells"].split(" | ") for match in _SECTIONS[table]}
    return {name: (cells[0], cells[-1] != "never") for name, cells in rows.items()}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Columns]:
    """The columns of both stores as the migrations make them."""
    directory = tmp_path_factory.mktemp("stores")
    return {**_ledger(directory / "ledger.duckdb"), **_control(directory / "control.sqlite")}


def _ledger(path: Path) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    with Ledger.open(path) as ledger, ledger.cursor() as cursor:
        cursor.execute(
            "select table_name, column_name, data_type, is_nullable from duckdb_columns() where not internal"
        )
        for table, name, kind, can_be_null in cursor.fetchall():
            found.setdefault(table, {})[name] = (kind, can_be_null)
    return found


def _control(path: Path) -> dict[str, Columns]:
    Control.open(path, system_clock).close()
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        return {
            table: {
                name: (kind, not is_required)
                for _, name, kind, is_required, *_ in connection.execute(f"pragma table_info({table})")
            }
            for table in tables
        }


def _listed(word: str) -> list[str]:
    return [match["name"] for match in _SECTIONS[word]]


def test_every_table_has_its_section(stores: dict[str, Columns]) -> None:
    """And no section is left of a table that is gone."""
    tables = {name for name in stores if not name.startswith(("alembic", "sqlite"))}

    assert set(_SECTIONS) == tables | set(_WORDS)


@pytest.mark.parametrize("table", [name for name in _SECTIONS if name not in _WORDS])
def test_every_column_has_its_row(stores: dict[str, Columns], table: str) -> None:
    """With its type, and whether it can be null; a column that was added later stands where it belongs."""
    assert _documented(table) == stores[table]


@pytest.mark.parametrize("table", [name for name in _SECTIONS if name not in _WORDS])
def test_every_row_says_what_is_meant(table: str) -> None:
    """The meaning of the value, and of null, which is not zero."""
    cells = {match["name"]: match["cells"].split(" | ") for match in _SECTIONS[table]}

    assert {name: row for name, row in cells.items() if len(row) != 3 or not all(map(str.strip, row))} == {}


def test_the_outcomes_are_listed() -> None:
    """All of them and no other."""
    assert _listed("outcome") == list(OUTCOMES)


def test_the_sources_of_usage_are_listed() -> None:
    """All of them and no other."""
    assert _listed("usage_source") == list(USAGE_SOURCES)


def test_the_states_of_pricing_are_listed() -> None:
    """All that the drain can give."""
    assert set(_listed("pricing_state")) == set(PRICING_STATES)


def _faults() -> set[fault_codes.Fault]:
    """All that the recorder can name without looking at what an answer or a header says."""
    tables = (fault_codes.BY_CODE, fault_codes.BY_TYPE, fault_codes.BY_STATUS, breaks.BY_NAME)
    others = {fault_codes.OTHER_REFUSAL, fault_codes.OTHER_TROUBLE, breaks.fault_of_exception(OSError())}
    broken = {fault_codes.Fault(breaks.CONNECTION, reason) for reason in breaks.CONNECTION_REASONS}
    return {fault for table in tables for fault in table.values()} | others | broken


def test_the_classes_of_errors_are_listed() -> None:
    """All that the recorder can give."""
    assert set(_listed("error_class")) == {fault.error_class for fault in _faults()}


def test_the_reasons_of_errors_are_listed() -> None:
    """Each beside its class."""
    told = {match["name"]: set(re.findall(r"`(\w+)`", match["cells"])) for match in _SECTIONS["error_class"]}
    missing = [fault for fault in _faults() if fault.reason and fault.reason not in told[fault.error_class]]

    assert missing == []


def test_the_reasons_of_losses_are_listed() -> None:
    """All that a writer can give."""
    (row,) = [match for match in _SECTIONS["dropped"] if match["name"] == "reason"]

    assert set(re.findall(r"`(\w+[a-z])`", row["cells"])) == trouble.REASONS


def test_the_sample_is_a_segment() -> None:
    """Every line of it is intact and can be read."""
    header, begin, end, *_ = _SAMPLE

    assert [is_intact(line) for line in _SAMPLE] == [True] * 5
    assert [msgspec.json.decode(line)["seq"] for line in _SAMPLE] == list(range(5))
    assert msgspec.json.decode(header, type=HeaderLine).format == 1
    assert (
        msgspec.json.decode(begin, type=Begin, strict=True).record_id
        == msgspec.json.decode(end, type=Record, strict=True).record_id
    )
