"""Compares what was read of the spool with what is stored of it."""

from collections.abc import Iterator, Mapping
from typing import Final

import duckdb

from monitor.ledger.check_sums import Fault
from monitor.ledger.gaps import NEWEST_GAPS
from monitor.ledger.retention import forgotten

_SEGMENTS: Final = f"""
    with read as (
        select segment, arg_max(file, to_offset) as file, sum(lines) as lines, sum(records) as records,
            sum(quarantined) as quarantined, sum(repeated) as repeated, sum(duplicates) as duplicates,
            max(last_seq) as last_seq, {NEWEST_GAPS} as missing,
            max(checkpoints.drained_at) as drained_at
        from checkpoints group by segment
    ), kept as (
        select segment, count(*) as pieces,
            count(*) filter (reason = 'not_a_record' and starts_with(line, '{{"seq":')) as numbered
        from (select segment, reason, line from quarantine union all select segment, reason, line from retried)
        group by segment
    )
    select file, drained_at, lines, records, quarantined, repeated, duplicates, coalesce(pieces, 0) as pieces,
        coalesce(last_seq, -1) + 1 - lines - coalesce(numbered, 0) as absent,
        case when missing is not null then
            coalesce(list_sum(list_transform(missing, lambda span: span[2] - span[1] + 1)), 0)
        end as missing
    from read left join kept using (segment)
"""
_STORED: Final = """
    select cast(coalesce(sum(requests), 0) as bigint), cast(coalesce(sum(unknown_requests), 0) as bigint)
    from usage_hourly
"""
_LISTED: Final = 20

CHANGED: Final = "Somebody changed the table {}: restore a backup from before"
REQUESTS: Final = "… requests"
STORED: Final = "requests stored"
READ: Final = "… read from the spool"
RAW: Final = "… with all their facts still, not only in sums"
TWICE: Final = "requests seen a second time, counted once"


def line_figures(cursor: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """What was counted, in words, in the order in which people read it."""
    lines, records, quarantined, repeated, duplicates, segments, missing = _one(
        cursor,
        f"""
        select sum(lines), sum(records), sum(quarantined), sum(repeated), sum(duplicates), count(*),
            sum(greatest(coalesce(missing, absent), 0))
        from ({_SEGMENTS})
        """,
    )
    stored, unknown = _one(cursor, _STORED)
    gone = forgotten(cursor)
    stored += gone["usage"][1] if "usage" in gone else 0
    unknown += gone["usage_unknown"][1] if "usage_unknown" in gone else 0
    (dropped,) = _one(cursor, "select sum(records) from dropped")
    (raw,) = _one(cursor, "select count(*) from requests")
    (under_way,) = _one(cursor, "select count(*) from begins")
    return {
        "segments read": segments,
        "lines read": lines + quarantined,
        REQUESTS: records,
        "… beginnings, headers, ends of segments, contents and notes": lines - records,
        "… in quarantine": quarantined,
        "lines that stood there again and were passed over": repeated,
        "lines known to be missing": missing,
        "lines that programs could not write, as they told": dropped,
        STORED: stored,
        READ: stored - unknown,
        "… begun by a program that died (outcome unknown)": unknown,
        RAW: raw,
        TWICE: duplicates,
        "requests that began and have not ended": under_way,
    }


def line_faults(cursor: duckdb.DuckDBPyConnection, figures: Mapping[str, int]) -> Iterator[Fault]:
    """What was read and is not stored, or is stored and was not read."""
    read, stored, twice = figures[REQUESTS], figures[READ], figures[TWICE]
    if read != stored + twice:
        yield Fault(
            what="requests",
            where="the whole ledger",
            one=f"{read:,} read from the spool",
            other=f"{stored:,} stored and {twice:,} seen a second time",
            mend="Restore a backup from before, or report it with this table",
        )
    cursor.execute(
        f"""
        select file, quarantined, pieces, absent, missing from ({_SEGMENTS})
        where drained_at >= coalesce(?, timestamp '0001-01-01')
            and (quarantined <> pieces or absent < 0 or absent <> missing)
        order by file limit {_LISTED}
        """,
        # Of segments before that pieces were let go of.
        [forgotten(cursor).get("quarantine", (None, 0))[0]],
    )
    for file, quarantined, pieces, absent, missing in cursor.fetchall():
        if quarantined != pieces:
            yield Fault(
                what="pieces in quarantine",
                where=file,
                one=f"{quarantined:,} were put there",
                other=f"{pieces:,} are there",
                mend=CHANGED.format("quarantine"),
            )
        if absent < 0:
            yield Fault(
                what="lines", where=file, one=f"{-absent:,} more than it numbered", other="none can be", mend=_TWICE
            )
        elif missing is not None and absent != missing:
            yield Fault(
                what="missing lines",
                where=file,
                one=f"{absent:,} by the numbers of its lines",
                other=f"{missing:,} as it was read",
                mend="Report it with this file, if the spool still has it",
            )


_TWICE: Final = "It was read twice, or two programs wrote it: restore a backup from before, or report it"


def _one(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    found = cursor.execute(sql).fetchone() or ()
    return tuple(int(value or 0) for value in found)
