"""Lines become columns, whichever of the two readers takes them."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.ledger.columns import RECORD_COLUMNS
from monitor.ledger.lines import LineReader
from monitor.spool.format import END, encode_line
from tests.factories import make_record, make_usage

_TEXTS = st.text(max_size=12)
_COUNTS = st.integers(0, 10**12)
_PLAIN = {
    "user": _TEXTS,
    "team": _TEXTS,
    "request_model": _TEXTS,
    "usage": st.builds(make_usage, input_tokens=_COUNTS, output_tokens=_COUNTS),
    "duration": st.floats(0, 10**8),
    "is_streaming": st.booleans(),
    "finish_reasons": st.lists(_TEXTS, min_size=1, max_size=3),
    "status": st.integers(100, 599),
}


def _line(seq: int, **values: Any) -> bytes:
    return encode_line(seq, END, make_record(**values)).rstrip(b"\n")


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows without what is null: readers need not make columns of nothing."""
    return [
        {name: value for name, value in row.items() if value is not None and name != "seq"} for row in table.to_pylist()
    ]


@settings(deadline=None)
@given(rows=st.lists(st.fixed_dictionaries({}, optional=_PLAIN), min_size=1, max_size=8))
def test_both_readers_find_the_same(rows: list[dict[str, Any]]) -> None:
    """A map sends a line to the reader that goes line by line; what else it says must not change by that."""
    records = [make_record(**values) for values in rows]
    plain = [encode_line(0, END, record).rstrip(b"\n") for record in records]
    slow = [encode_line(0, END, replace(record, tags={"a": "b"})).rstrip(b"\n") for record in records]

    fast_rows = _rows(LineReader().read(plain).table)
    slow_rows = _rows(LineReader().read(slow).table)

    assert [{**row, "tags": [("a", "b")]} for row in fast_rows] == slow_rows


def test_odd_lines_among_plain_ones_keep_the_order() -> None:
    """Lines with maps stand where they stood."""
    lines = [_line(n, user=str(n), tags={"n": str(n)} if n % 3 == 0 else None) for n in range(20)]

    found = LineReader().read(lines).table

    assert found["user"].to_pylist() == [str(n) for n in range(20)]
    assert [dict(tags) if tags else None for tags in found["tags"].to_pylist()] == [
        {"n": str(n)} if n % 3 == 0 else None for n in range(20)
    ]


def test_facts_that_come_later_are_not_missed() -> None:
    """A reader remembers what it has met, and looks again when something new comes."""
    reader = LineReader()
    reader.read([_line(0)])

    found = reader.read([_line(1), _line(2, team="search", requests_limit=7)]).table

    assert (found["team"].to_pylist(), found["requests_limit"].to_pylist()) == ([None, "search"], [None, 7])


def test_a_map_among_lines_of_known_facts_is_not_missed() -> None:
    """It is looked for only where the quick reader stops, and that reader must stop at it."""
    reader = LineReader()
    reader.read([_line(0, team="search")])

    found = reader.read([_line(1, team="search"), _line(2, team="search", tags={"a": "b"})]).table

    assert found["tags"].to_pylist() == [None, [("a", "b")]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("record_id", "no id"),
        ("call_id", "x" * 36),
        ("record_id", None),
        ("started_at", "1969-12-31T23:59:59Z"),
        ("started_at", "yesterday"),
        ("provider_name", None),
        ("attempt", "many"),
    ],
)
def test_what_is_no_record_is_refused_and_the_others_stay(field: str, value: Any) -> None:
    """By its number, so that the line itself can be kept."""
    fields = {name: getattr(make_record(), name) for name in ("record_id", "call_id", "attempt", "started_at")}
    fields |= {"provider_name": "openai", "operation_name": "chat", "endpoint": "/chat/completions"}
    bad = encode_line(1, END, {**fields, field: value}).rstrip(b"\n")

    found = LineReader().read([_line(0), bad, _line(2)])

    assert (found.refused, len(found.table)) == ((1,), 2)


def test_a_call_of_one_request_needs_no_id_of_its_own() -> None:
    """It is left out on the spool where it is the id of the request."""
    fields = {"record_id": make_record().record_id, "attempt": 0, "started_at": make_record().started_at}
    fields |= {"provider_name": "openai", "operation_name": "chat", "endpoint": "/chat/completions"}

    assert LineReader().read([encode_line(0, END, fields).rstrip(b"\n")]).refused == ()


def test_every_column_of_a_record_can_be_read() -> None:
    """A column of a type that neither reader knows would be lost without a word."""
    names = set(LineReader().read([_line(0, tags={"a": "b"})]).table.column_names)

    assert names >= set(RECORD_COLUMNS)
