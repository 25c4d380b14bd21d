"""What is read and what is computed of it stand side by side, each row with its own."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from monitor.ledger.lines import LineReader
from monitor.ledger.stage import ONCE, stage, stage_priced
from monitor.records import Record
from monitor.spool.format import END, encode_line
from tests.factories import make_record

_USERS = ("a", "b", "c")


@pytest.fixture
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def _line(seq: int, record: Record) -> bytes:
    return encode_line(seq, END, record).rstrip(b"\n")


def _ends() -> pa.Table:
    lines = [_line(seq, make_record(user=user)) for seq, user in enumerate(_USERS)]
    segments = pa.array(["s"] * len(lines))
    table = LineReader().read(lines).table.append_column("segment", segments)
    return table.append_column("line_number", pa.array(range(len(lines)), pa.int64()))


def _computed(*places: int) -> pa.Table:
    return pa.table({"line_number": pa.array(places, pa.int64()), "price": [_USERS[place] for place in places]})


@pytest.mark.parametrize("places", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("view", ["priced", ONCE])
def test_each_row_has_what_was_computed_of_it(
    cursor: duckdb.DuckDBPyConnection, places: tuple[int, ...], view: str
) -> None:
    """Joins may give the rows in any order."""
    stage(cursor, ends := _ends())

    assert stage_priced(cursor, ends, _computed(*places))
    assert cursor.execute(f'select "user", price from {view}').fetchall() == [(user, user) for user in _USERS]


@pytest.mark.parametrize("places", [(0, 1), (0, 1, 1, 2), (0, 1, 1)])
def test_what_was_computed_of_other_rows_is_not_put_beside_them(
    cursor: duckdb.DuckDBPyConnection, places: tuple[int, ...]
) -> None:
    """Who asks then joins them."""
    stage(cursor, ends := _ends())

    assert not stage_priced(cursor, ends, _computed(*places))


def test_times_are_those_of_utc(cursor: duckdb.DuckDBPyConnection) -> None:
    """Whatever zone the machine is in."""
    cursor.execute("set TimeZone = 'Asia/Kolkata'")
    record = make_record()
    table = LineReader().read([_line(0, record)]).table.append_column("segment", pa.array(["s"]))
    stage(cursor, table.append_column("line_number", pa.array([0])))

    assert cursor.execute("select started_at from stage").fetchall() == [(record.started_at.replace(tzinfo=None),)]
