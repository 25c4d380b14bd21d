"""Turns spool lines into the temporary table `stage`, one row a line; lines that are no records are taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb
import pyarrow as pa

from monitor.ledger.columns import DEFAULTS, RECORD_COLUMNS
from monitor.records import Usage
from monitor.spool.format import BEGIN, DROPPED, END, FOOTER, HEADER
from monitor.spool.reader import Batch, Damage, Segment

# A moment is read with its offset, so that any offset comes out as UTC.
_LINE_TYPES: Final = {
    "seq": "BIGINT",
    "kind": "VARCHAR",
    **RECORD_COLUMNS,
    "started_at": "TIMESTAMPTZ",
    "reason": "VARCHAR",
    "count": "BIGINT",
}
_SHAPE: Final = "{" + ", ".join(f'"{name}": "{kind}"' for name, kind in _LINE_TYPES.items()) + "}"
# Beyond its limit a number is nonsense that overflows where it is multiplied or summed: unknown.
_LIMITS: Final = {
    **{name: 10**8 for name, kind in RECORD_COLUMNS.items() if kind == "DOUBLE"},
    **{name: 10**12 for name in Usage.__struct_fields__ if RECORD_COLUMNS[name] == "BIGINT"},
}
_BOUNDED: Final = {
    name: f"case when {name} between -{limit} and {limit} then {name} end" for name, limit in _LIMITS.items()
}
_MOMENT: Final = """
    case when started_at between timestamptz '1970-01-01 00:00:00+00' and timestamptz '9999-12-31 00:00:00+00'
    then timezone('UTC', started_at) end
"""
_REPLACED: Final = {
    **{name: f"coalesce({name}, {sql})" for name, sql in DEFAULTS.items()},
    **_BOUNDED,
    "started_at": _MOMENT,
}
_STAGE: Final = f"""
    create or replace temp table stage as
    select segment, line_number,
        * exclude (segment, line_number) replace ({", ".join(f"{sql} as {name}" for name, sql in _REPLACED.items())}),
        coalesce(response_model, request_model) as model
    from (select segment, line_number, unnest(try(from_json(line, '{_SHAPE}'))) from spool_lines)
"""
_REQUIRED: Final = ("record_id", "call_id", "attempt", "started_at", "provider_name", "operation_name", "endpoint")
_KINDS: Final = ", ".join(f"'{kind.decode()}'" for kind in (HEADER, BEGIN, END, DROPPED, FOOTER))
_LACKING: Final = f"""
    select line_number from stage
    where kind is null or kind not in ({_KINDS})
        or kind in ('begin', 'end') and ({" or ".join(f"{name} is null" for name in _REQUIRED)})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read of one segment, from `offset`."""

    segment: Segment
    offset: int
    batch: Batch


def stage(cursor: duckdb.DuckDBPyConnection, reads: list[Read]) -> list[Read]:
    """Fill the table `stage`; returns the same reads, lines that are no records moved to their damages."""
    try:
        _load(cursor, reads)
    except pa.ArrowInvalid:
        # An intact line that is not UTF-8: never ours.
        reads = [_without(read, [line for line in read.batch.lines if not _is_text(line)]) for read in reads]
        _load(cursor, reads)
    lacking = {row[0] for row in cursor.execute(_LACKING).fetchall()}
    if lacking:
        cursor.execute("delete from stage where list_contains(?, line_number)", [list(lacking)])
        lines = [line for read in reads for line in read.batch.lines]
        faulty = {lines[number] for number in lacking}
        reads = [_without(read, [line for line in read.batch.lines if line in faulty]) for read in reads]
    return reads


def _load(cursor: duckdb.DuckDBPyConnection, reads: Sequence[Read]) -> None:
    lines: list[bytes] = []
    names: list[str] = []
    for read in reads:
        lines.extend(read.batch.lines)
        names.extend([read.segment.id] * len(read.batch.lines))
    table = pa.table(
        {
            "segment": pa.array(names, pa.string()),
            "line_number": pa.array(range(len(lines)), pa.int64()),
            "line": pa.array(lines, pa.binary()).cast(pa.string()),
        }
    )
    cursor.register("spool_lines", table)
    try:
        cursor.execute(_STAGE)
    finally:
        cursor.unregister("spool_lines")


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without(read: Read, faulty: Sequence[bytes]) -> Read:
    """Move lines that are no records from the batch to its damages."""
    if not faulty:
        return read
    batch = read.batch
    damages = [Damage(offset=None, reason="not_a_record", content=line) for line in faulty]
    refused = set(faulty)
    return replace(
        read,
        batch=replace(
            batch,
            lines=tuple(line for line in batch.lines if line not in refused),
            damages=(*batch.damages, *damages),
        ),
    )
