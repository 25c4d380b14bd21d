"""Turns the lines of requests into columns: one Arrow table for a batch, its types those of the record.

Nearly all lines go through Arrow's reader, a chunk at once. What it cannot read, such as maps or a fact of a wrong
type, goes through DuckDB's, line by line and three times as slow.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from monitor.ledger.columns import RECORD_COLUMNS
from monitor.records import Usage

_ARROW_TYPES: Final = {
    "UUID": pa.string(),
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "SMALLINT": pa.int16(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "VARCHAR[]": pa.list_(pa.string()),
}
_DECLARED: Final = {"seq": "BIGINT", **RECORD_COLUMNS}
_SIMPLE: Final = {name: _ARROW_TYPES[kind] for name, kind in _DECLARED.items() if kind in _ARROW_TYPES}
_MAP_MARKS: Final = tuple(f'"{name}":{{'.encode() for name in _DECLARED if name not in _SIMPLE)
_IGNORED: Final = {"kind": pa.string(), "crc": pa.string()}

# Read as text and as a moment with its zone: what they mean is checked for both readers in one place.
_READ_AS: Final = {"UUID": "VARCHAR", "TIMESTAMP": "TIMESTAMPTZ"}
_SHAPE: Final = "{" + ", ".join(f'"{name}": "{_READ_AS.get(kind, kind)}"' for name, kind in _DECLARED.items()) + "}"

# Beyond its limit a number is nonsense that overflows where it is multiplied or summed: unknown.
_LIMITS: Final[Mapping[str, int]] = {
    **{name: 10**8 for name, kind in RECORD_COLUMNS.items() if kind == "DOUBLE"},
    **{name: 10**12 for name in Usage.__struct_fields__ if RECORD_COLUMNS[name] == "BIGINT"},
}
_BOUNDED: Final = ", ".join(
    f"case when {name} between -{limit} and {limit} then {name} end as {name}" for name, limit in _LIMITS.items()
)
_LINE_BY_LINE: Final = f"""
    select * replace ({_BOUNDED}) from (select unnest(try(from_json(line, '{_SHAPE}'))) from lines)
"""

_REQUIRED: Final = ("record_id", "attempt", "started_at", "provider_name", "operation_name", "endpoint")
_ID: Final = r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Far enough from the last day that there is, that a month can be added to every moment.
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_MOMENT: Final = pa.timestamp("us")
"""UTC without its name, as the ledger has it: a cast in DuckDB asks a calendar for each row."""

_OF_ONE_REQUEST: Final = frozenset(
    """
    record_id call_id request_id response_id conversation_id file_id custom_id trace_id span_id body_fingerprint
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
"""Texts that hardly any two lines share; each of the others is kept once, and a number in each row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Lines as columns. `refused` are the numbers of the lines that are no records; `table` has the other ones."""

    table: pa.Table
    refused: tuple[int, ...]


class LineReader:
    """Reads lines of requests; remembers which facts occur, so that it need not look for all of them."""

    def __init__(self) -> None:
        """Has met no line yet."""
        self._met = {"seq", *_REQUIRED}

    def read(self, lines: Sequence[bytes]) -> Columns:
        """The columns of intact end or begin lines."""
        return _sift(_shared(self._columns(lines)))

    def _columns(self, lines: Sequence[bytes]) -> pa.Table:
        text = b"\n".join(lines)
        if not text.isascii() and not _is_text(text):
            return self._mixed(lines)
        table = _parsed(text, self._met, "error")
        if table is None:
            # No map is ever met, so it is found here, and not looked for in every text.
            if any(mark in text for mark in _MAP_MARKS):
                return self._mixed(lines)
            table = self._meet(text)
        return table if table is not None and len(table) == len(lines) and _is_sane(table) else _slow(lines)

    def _mixed(self, lines: Sequence[bytes]) -> pa.Table:
        """Lines of which some are not for the fast reader; in their order."""
        is_odd = [not _is_text(line) or any(mark in line for mark in _MAP_MARKS) for line in lines]
        plain = [line for line, odd in zip(lines, is_odd, strict=True) if not odd]
        odd = [line for line, odd in zip(lines, is_odd, strict=True) if odd]
        if not plain:
            return _slow(odd)
        table = pa.concat_tables([self._columns(plain), _slow(odd)], promote_options="default")
        places = [number for number, odd in enumerate(is_odd) if not odd]
        places += [number for number, odd in enumerate(is_odd) if odd]
        return table.take(pc.sort_indices(pa.array(places)))

    def _meet(self, text: bytes) -> pa.Table | None:
        """Lines with facts that were not met before."""
        table = _parsed(text, _SIMPLE, "ignore")
        if table is not None:
            self._met |= {name for name in table.column_names if table[name].null_count < len(table)}
        return table


def _parsed(text: bytes, names: Container[str], unexpected: str) -> pa.Table | None:
    """None where Arrow cannot read a line."""
    schema = pa.schema([(name, _SIMPLE[name]) for name in _SIMPLE if name in names])
    for name, kind in _IGNORED.items():
        schema = schema.append(pa.field(name, kind))
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected)
    # One core is busy storing the batch before.
    reading = pj.ReadOptions(use_threads=False, block_size=max(len(text), 1))
    try:
        table = pj.read_json(pa.BufferReader(text), reading, options)
    except pa.ArrowInvalid:
        return None
    return table.drop_columns(list(_IGNORED))


def _is_sane(table: pa.Table) -> bool:
    for name in table.column_names:
        limit = _LIMITS.get(name)
        if limit is None:
            continue
        bounds = pc.min_max(table[name]).as_py()
        if bounds["max"] is not None and not -limit <= bounds["min"] <= bounds["max"] <= limit:
            return False
    return True


def _slow(lines: Sequence[bytes]) -> pa.Table:
    """Line by line; what is no object with facts of the right types becomes a row of nulls."""
    texts = [line.decode("utf-8") if _is_text(line) else "" for line in lines]
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("lines", pa.table({"line": pa.array(texts, pa.string())}))
        table: pa.Table = connection.execute(_LINE_BY_LINE).to_arrow_table()
    return table


def _shared(table: pa.Table) -> pa.Table:
    """The same, each text kept once: a load takes a quarter less memory."""
    for place, (name, kind) in enumerate(zip(table.column_names, table.schema.types, strict=True)):
        if kind == pa.string() and name not in _OF_ONE_REQUEST:
            table = table.set_column(place, name, table[name].dictionary_encode())
    return table


def _sift(table: pa.Table) -> Columns:
    """Take out the rows that are no records."""
    is_good = pc.and_(
        # Made here: with the first one Arrow loads pandas, which commands that read no lines need not wait for.
        pc.greater_equal(table["started_at"], pa.scalar(_FIRST, _ARROW_TYPES["TIMESTAMP"])),
        pc.less_equal(table["started_at"], pa.scalar(_LAST, _ARROW_TYPES["TIMESTAMP"])),
    )
    is_good = pc.and_(is_good, _is_id(table["record_id"]))
    if "call_id" in table.column_names:
        # Left out where it is the record's own id.
        is_good = pc.and_(is_good, pc.or_(pc.is_null(table["call_id"]), _is_id(table["call_id"])))
    for name in _REQUIRED:
        if table[name].null_count:
            is_good = pc.and_(is_good, pc.is_valid(table[name]))
    is_good = pc.fill_null(is_good, False)  # noqa: FBT003 - Arrow names it no other way
    refused = ()
    if pc.all(is_good).as_py() is False:
        refused = tuple(pc.indices_nonzero(pc.invert(is_good)).to_pylist())
        table = table.filter(is_good)
    place = table.column_names.index("started_at")
    return Columns(table=table.set_column(place, "started_at", table["started_at"].cast(_MOMENT)), refused=refused)


def _is_id(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.match_substring_regex(column, _ID), False)  # noqa: FBT003 - Arrow names it no other way


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
