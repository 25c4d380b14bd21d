"""Compares what the ledger notes beside its requests: sightings, positions, pieces, and what was let go of."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import duckdb

from monitor.ledger.check_lines import CHANGED, RAW, STORED, TWICE
from monitor.ledger.check_sums import Fault
from monitor.ledger.retention import SIGHTINGS, forgotten
from monitor.ledger.trusted_clock import CLOCK
from monitor.spool.format import is_intact

_DAY: Final = timedelta(days=1)
_LISTED: Final = 10
_WHOLE: Final = "the whole ledger"
_NEVER_NONE: Final = ("requests", "quarantine")
"""What is noted in `forgotten` only when some of it went."""

_UNPLACED: Final = f"""
    select what, place, number from (
        select what, place, segment, count(*) as number from (
            select 'pieces in quarantine' as what, file as place, segment from quarantine
            union all select 'lines out of quarantine', file, segment from retried
            union all select 'losses that programs told', segment, segment from dropped where segment <> ''
            union all select 'requests that began', segment, segment from begins
        ) group by all
    ) where segment not in (select segment from checkpoints) order by all limit {_LISTED}
"""
_FORGOTTEN: Final = "select kind, count(*), max(before), sum(number) from forgotten group by 1 order by 1"
_PIECES: Final = """
    select (select coalesce(sum(quarantined), 0) from checkpoints),
        (select count(*) from quarantine) + (select count(*) from retried)
"""
_MAY_BE_BROKEN: Final = "\N{REPLACEMENT CHARACTER}"
"""In place of bytes that are no text: the checksum was of those."""


def note_faults(cursor: duckdb.DuckDBPyConnection, figures: Mapping[str, int], now: datetime) -> Iterator[Fault]:
    """What notes and tables tell differently; `now` is aware UTC."""
    gone = forgotten(cursor)
    yield from _number_faults(cursor, figures, {kind: number for kind, (_, number) in gone.items()})
    for kind, rows, before, number in cursor.execute(_FORGOTTEN).fetchall():
        yield from _forgotten_faults(kind, rows, before, int(number), now.replace(tzinfo=None))
    for what, place, number in cursor.execute(_UNPLACED).fetchall():
        yield _unplaced(what, place, number)


def piece_faults(cursor: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    """Lines in quarantine that had a good checksum when they came there, and have none now."""
    cursor.execute("select file, line from quarantine where reason = 'not_a_record' and starts_with(line, '{\"seq\":')")
    listed = 0
    while listed < _LISTED and (rows := cursor.fetchmany(1_000)):
        for file, line in rows:
            if _MAY_BE_BROKEN not in line and not is_intact(line.encode()):
                listed += 1
                yield Fault(
                    what="line in quarantine",
                    where=file,
                    one=f"it begins with {line[:40]}",
                    other="its checksum is of another line",
                    mend=CHANGED.format("quarantine"),
                )


def sighting_faults(cursor: duckdb.DuckDBPyConnection, day: datetime) -> Iterator[Fault]:
    """Sightings of a day (ledger time) that are there twice, or come from a segment that nobody has read."""
    chosen = "from sightings where started_at >= ? and started_at < ?"
    values = [day, day + _DAY]
    cursor.execute(
        f"select seen_record_id, count(*) {chosen} group by seen_record_id, segment, seq having count(*) > 1"
        f" order by all limit {_LISTED}",
        values,
    )
    for seen, times in cursor.fetchall():
        yield Fault(
            what="sighting stored more than once",
            where=str(seen),
            one=f"{times:,} rows",
            other="one can be",
            mend=CHANGED.format("sightings"),
        )
    cursor.execute(
        f"select segment, count(*) {chosen} and segment is not null"
        f" and segment not in (select segment from checkpoints) group by 1 order by all limit {_LISTED}",
        values,
    )
    for segment, number in cursor.fetchall():
        yield _unplaced("sightings", segment, number)


def _unplaced(what: str, where: str, number: int) -> Fault:
    return Fault(
        what=what,
        where=where,
        one=f"{number:,} were read there",
        other="nothing says that it was read",
        mend=CHANGED.format("checkpoints"),
    )


def _number_faults(
    cursor: duckdb.DuckDBPyConnection, figures: Mapping[str, int], gone: Mapping[str, int]
) -> Iterator[Fault]:
    raw, stored = figures[RAW] + gone.get("requests", 0), figures[STORED]
    if raw != stored:
        yield Fault(
            what="requests with all their facts",
            where=_WHOLE,
            one=f"{figures[RAW]:,} are there, and {gone.get('requests', 0):,} were let go of for their age",
            other=f"{stored:,} were stored, by the sums",
            mend=CHANGED.format("requests or forgotten"),
        )
    (kept,) = cursor.execute("select count(*) from sightings").fetchone() or (0,)
    noted, twice = kept + gone.get(SIGHTINGS, 0), figures[TWICE]
    # An earlier version let go of sightings without a note of how many.
    is_counted = SIGHTINGS in gone or "requests" not in gone
    if noted > twice or (is_counted and noted != twice):
        yield Fault(
            what="sightings",
            where=_WHOLE,
            one=f"{twice:,} requests were seen a second time, by the positions",
            other=f"{kept:,} sightings are there, and {gone.get(SIGHTINGS, 0):,} were let go of for their age",
            mend=CHANGED.format("sightings"),
        )
    put, there = cursor.execute(_PIECES).fetchone() or (0, 0)
    # Until some are let go of, each segment is compared by itself.
    if "quarantine" in gone and put != there + gone["quarantine"]:
        yield Fault(
            what="pieces in quarantine",
            where=_WHOLE,
            one=f"{put:,} were put there",
            other=f"{there:,} are there, and {gone['quarantine']:,} were let go of for their age",
            mend=CHANGED.format("quarantine"),
        )


def _forgotten_faults(kind: str, rows: int, before: datetime, number: int, now: datetime) -> Iterator[Fault]:
    what = f"note of what was let go of: {kind}"
    mend = CHANGED.format("forgotten")
    if rows > 1:
        yield Fault(what=what, where=_WHOLE, one=f"{rows:,} rows", other="one can be", mend=mend)
    if kind in _NEVER_NONE and number <= 0:
        yield Fault(
            what=what, where=f"before {before:%Y-%m-%d %H:%M}", one="it was done", other="nothing went", mend=mend
        )
    if before > now and kind != CLOCK:
        yield Fault(
            what=what,
            where=_WHOLE,
            one=f"until {before:%Y-%m-%d %H:%M}",
            other=f"it is {now:%Y-%m-%d %H:%M} now",
            mend="The clock was ahead then or is behind now, or somebody changed the table forgotten: set the time "
            "right, or restore a backup from before",
        )
