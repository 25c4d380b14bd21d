"""Lets go of what is older than people want to keep: a bounded number of rows at a time, the oldest first.

Requests lie in the file in about the order of their times. What is deleted from the old end leaves whole parts of it
empty, which a checkpoint gives back to be used again, unless a reader was at it; then the next one does.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import duckdb

from monitor.health import Health
from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger
from monitor.ledger.measures import USAGE
from monitor.ledger.rollup import DIGESTS, ROLLUPS
from monitor.ledger.scopes import Slice, naive
from monitor.ledger.steps import ALL_AT_ONCE
from monitor.ledger.storage import forget_sizes
from monitor.ledger.trusted_clock import is_trusted
from monitor.ledger.usage import parts_of

log = logging.getLogger(__name__)

LEAST: Final = timedelta(days=32)
"""Usage of a work can come so long after its beginning; until then its request must be there."""

_AT_ONCE: Final = 250_000

_RAW: Final = "requests"
_SUMS: Final = "usage"
_SUMS_UNKNOWN: Final = "usage_unknown"
_PIECES: Final = "quarantine"
SIGHTINGS: Final = "sightings"
"""The kind of the row in `forgotten` that counts the sightings which went with the requests of their time."""

_DAY: Final = timedelta(days=1)


def forget(
    ledger: Ledger,
    *,
    requests: timedelta | None,
    rollup: timedelta | None,
    pieces: timedelta,
    at_once: int = _AT_ONCE,
    health: Health | None = None,
) -> int:
    """Delete what is older; returns how many requests went. Days of UTC go as a whole.

    Nothing goes while the clock is days ahead of where it was: a wrong one would delete everything.

    Args:
        ledger: the ledger.
        requests: how long requests are kept with all their facts, and which usage was counted; None is for ever.
        rollup: how long their sums are kept; None is for ever. They stay at least as long as the requests.
        pieces: how long quarantined pieces, retried ones and single notes of losses are kept.
        at_once: about how many requests are deleted in one transaction, for which the drain waits.
        health: what counts the times that nothing went because of the clock.
    """
    if not is_trusted(ledger):
        _tell_skipped(ledger, health)
        return 0
    gone = 0
    today = ledger.clock().replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    if requests is not None:
        cutoff = today - max(requests, LEAST)
        for start, end in list(_bites(ledger, cutoff, at_once)):
            gone += _forget_requests(ledger, start, end)
        _forget_counted(ledger, cutoff)
        if rollup is not None:
            _forget_sums(ledger, today - max(requests, rollup, LEAST))
    _forget_pieces(ledger, today - pieces)
    if gone:
        ledger.checkpoint()
    return gone


def _tell_skipped(ledger: Ledger, health: Health | None) -> None:
    if health is not None:
        health.count("retention_skipped_total")
    log.warning(
        "The clock says %s, which is days ahead of when it was last looked at: nothing old is deleted until it has run "
        "on for a day. If the time is wrong, set it right.",
        f"{ledger.clock():%Y-%m-%d %H:%M} UTC",
    )


def raw_from(ledger: Ledger) -> datetime | None:
    """From when on all requests are kept (ledger time); None where none was ever let go."""
    with ledger.cursor() as cursor:
        return raw_kept_from(cursor)


def raw_kept_from(cursor: duckdb.DuckDBPyConnection) -> datetime | None:
    """As `raw_from`, in a transaction that is under way."""
    known = forgotten(cursor).get(_RAW)
    return known[0] if known else None


def single_from(cursor: duckdb.DuckDBPyConnection, span: Slice) -> datetime | None:
    """From when on the requests of a slice are kept one by one, aware UTC; None where all of them are."""
    kept_from = raw_kept_from(cursor)
    return kept_from.replace(tzinfo=UTC) if kept_from is not None and naive(span.start) < kept_from else None


def lacks_before(ledger: Ledger, span: Slice, by: str) -> datetime | None:
    """Before when a question lacks requests of which only sums are kept, aware UTC; None where it lacks none.

    Sums answer for whole hours and days, and do not know users and places in the code together.
    """
    kept_from = raw_from(ledger)
    if kept_from is None:
        return None
    needed = {by, *(condition.dimension for condition in span.conditions)}
    parts = parts_of(naive(span.start), naive(span.end), needed, ALL_AT_ONCE, USAGE)
    is_lacking = any(part.rollup is None and part.start < min(part.end, kept_from) for part in parts)
    return kept_from.replace(tzinfo=UTC) if is_lacking else None


def forgotten(cursor: duckdb.DuckDBPyConnection) -> dict[str, tuple[datetime, int]]:
    """Until when what was let go of, and how much: `usage` are requests of sums, `usage_unknown` some of them."""
    rows = cursor.execute("select kind, max(before), sum(number) from forgotten group by kind").fetchall()
    return {kind: (before, int(number)) for kind, before, number in rows}


def _bites(ledger: Ledger, cutoff: datetime, at_once: int) -> Iterator[tuple[datetime, datetime]]:
    """Spans of time with about as many requests as are deleted at once, from the oldest to the cutoff."""
    with ledger.cursor() as cursor:
        (first,) = cursor.execute("select min(started_at) from requests").fetchone() or (None,)
        if first is None or first >= cutoff:
            return
        found = cursor.execute(
            "select hour, sum(requests) from usage_hourly where hour >= date_trunc('hour', ?::timestamp) and hour < ?"
            " group by hour order by hour",
            [first, cutoff],
        ).fetchall()
    yield from stretches(first, cutoff, found, at_once=at_once)


def stretches(
    start: datetime, end: datetime, hours: Iterable[tuple[datetime, int]], *, at_once: int
) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) in stretches of time that have about so many requests; `hours` tells how many each hour has."""
    waiting = 0
    for hour, requests in hours:
        if waiting and waiting + requests > at_once:
            yield start, hour
            start, waiting = hour, 0
        waiting += int(requests)
    yield start, end


def _forget_requests(ledger: Ledger, start: datetime, end: datetime) -> int:
    with ledger.writing() as cursor:
        chosen = "started_at >= ? and started_at < ?"
        (newest,) = cursor.execute(f"select max(started_at) from requests where {chosen}", [start, end]).fetchone() or (
            None,
        )
        (number,) = cursor.execute(f"delete from requests where {chosen}", [start, end]).fetchone() or (0,)
        _forget_sightings(cursor, ledger, start, end)
        for table in ("attempts", "container_sessions", "repriced_requests"):
            cursor.execute(f"delete from {table} where {chosen}", [start, end])
        forget_sizes(cursor, end)
        if newest is not None:
            _note(cursor, ledger, _RAW, min(end, _day_after(newest)), int(number))
    return int(number)


def _forget_sightings(cursor: duckdb.DuckDBPyConnection, ledger: Ledger, start: datetime, end: datetime) -> None:
    known = forgotten(cursor)
    gone_before = 0
    if _RAW in known and SIGHTINGS not in known:
        # An earlier version let go of some without a note.
        (gone_before,) = cursor.execute(
            "select (select coalesce(sum(duplicates), 0) from checkpoints) - (select count(*) from sightings)"
        ).fetchone() or (0,)
    (number,) = cursor.execute(
        "delete from sightings where started_at >= ? and started_at < ?", [start, end]
    ).fetchone() or (0,)
    _note(cursor, ledger, SIGHTINGS, end, int(number) + int(gone_before))


def _day_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def _forget_counted(ledger: Ledger, cutoff: datetime) -> None:
    with ledger.writing() as cursor:
        cursor.execute("delete from counted_usages where started_at < ?", [cutoff])


def _forget_sums(ledger: Ledger, cutoff: datetime) -> None:
    with ledger.writing() as cursor:
        found = cursor.execute(
            "select sum(requests), sum(unknown_requests) from usage_hourly where hour < ?", [cutoff]
        ).fetchone() or (None, None)
        if found[0] is None:
            return
        _note(cursor, ledger, _SUMS, cutoff, int(found[0]))
        _note(cursor, ledger, _SUMS_UNKNOWN, cutoff, int(found[1]))
        for each in (*ROLLUPS, *DIGESTS):
            cursor.execute(f"delete from {each.table} where {quoted(each.step)} < ?", [cutoff])


def _forget_pieces(ledger: Ledger, cutoff: datetime) -> None:
    with ledger.writing() as cursor:
        gone = 0
        for table in ("quarantine", "retried"):
            (number,) = cursor.execute(f"delete from {table} where seen_at < ?", [cutoff]).fetchone() or (0,)
            gone += int(number)
        if gone:
            _note(cursor, ledger, _PIECES, cutoff, gone)
        # Of losses the sums stay.
        old = cursor.execute("select count(*) from dropped where seen_at < ?", [cutoff]).fetchone()
        if old and old[0] > 1:
            cursor.execute(
                """
                create or replace temp table summed as
                select '' as segment, reason, cast(sum(records) as bigint) as records, max(seen_at) as seen_at
                from dropped where seen_at < ? group by reason
                """,
                [cutoff],
            )
            cursor.execute("delete from dropped where seen_at < ?", [cutoff])
            cursor.execute("insert into dropped by name from summed")


def _note(cursor: duckdb.DuckDBPyConnection, ledger: Ledger, kind: str, before: datetime, number: int) -> None:
    """One row for each kind: until when, and how many in all."""
    known = forgotten(cursor).get(kind)
    cursor.execute("delete from forgotten where kind = ?", [kind])
    before = max(before, known[0]) if known else before
    number += known[1] if known else 0
    cursor.execute(
        "insert into forgotten values (?, ?, ?, ?)", [kind, before, number, ledger.clock().replace(tzinfo=None)]
    )
