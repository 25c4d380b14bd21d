"""Digests: tables that a job makes of the requests of whole hours, for questions that sums cannot answer.

The drain only notes which hours have changed. When an hour is over, what there is of it is made anew, so that nothing
has to be taken back; a question reads digests up to the first hour that has changed, and the requests from there on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import duckdb

from monitor.ledger.attempts import ATTEMPT_COLUMNS, IS_ATTEMPT
from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger
from monitor.ledger.measures import Facts
from monitor.ledger.retention import raw_from
from monitor.ledger.rollup import DIGESTS, Rollup, counted
from monitor.ledger.scopes import Slice, Where, naive
from monitor.ledger.steps import Cut
from monitor.ledger.usage import usage_rows

_AT_ONCE: Final = 250_000
"""Requests that are digested in one transaction, for which the drain waits."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_RAW: Final = "(select * from requests where started_at >= $1 and started_at < $2)"
_ATTEMPTS: Final = ", ".join(map(quoted, ATTEMPT_COLUMNS))
_READ_ONE_BY_ONE: Final = Cut(steps=())


def digest(ledger: Ledger) -> int:
    """Digest the hours that have changed and are over; how many."""
    _leave_forgotten(ledger)
    bites = list(_bites(ledger))
    for start, end in bites:
        with ledger.writing() as cursor:
            _digest(cursor, start, end)
    return sum((end - start) // _HOUR for start, end in bites)


def digested_until(ledger: Ledger, span: Slice) -> datetime:
    """Up to when digests answer for a slice, aware UTC; its end at most."""
    start = naive(span.start).replace(minute=0, second=0, microsecond=0)
    with ledger.cursor() as cursor:
        found = cursor.execute("select min(hour) from changed_hours where hour >= ?", [start]).fetchone()
    changed = found[0] if found else None
    return span.end if changed is None else min(span.end, max(span.start, changed.replace(tzinfo=UTC)))


def digested_rows(ledger: Ledger, span: Slice, *, by: Sequence[str], facts: Facts) -> Where:
    """What `usage_rows` gives of the measures of a digest."""
    until = digested_until(ledger, span)
    early = usage_rows(replace(span, end=until), by=by, facts=facts)
    late = usage_rows(replace(span, start=until), by=by, facts=facts, cut=_READ_ONE_BY_ONE)
    return Where(sql=f"(from {early.sql} union all by name from {late.sql})", values=[*early.values, *late.values])


def has_changed(cursor: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> bool:
    """Whether the digests of [start, end) (ledger times) wait to be made anew."""
    values = [start, end]
    return cursor.execute("from changed_hours where hour >= ? and hour < ? limit 1", values).fetchone() is not None


def _leave_forgotten(ledger: Ledger) -> None:
    """Of hours whose requests were let go of the digests stay as they are."""
    kept_from = raw_from(ledger)
    if kept_from is not None:
        with ledger.writing() as cursor:
            cursor.execute("delete from changed_hours where hour < ?", [kept_from])


def _bites(ledger: Ledger) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of hours (ledger times) that have changed, each with about as many requests as are digested at once."""
    now = ledger.clock().replace(tzinfo=None, minute=0, second=0, microsecond=0)
    with ledger.cursor() as cursor:
        found = cursor.execute(
            """
            select hour, coalesce(sum(requests), 0)
            from (select distinct hour from changed_hours where hour < ?) left join usage_hourly_brief using (hour)
            group by hour order by hour
            """,
            [now],
        ).fetchall()
    start = end = None
    waiting = 0
    for hour, requests in found:
        if start is not None and end is not None and (hour != end or waiting + requests > _AT_ONCE):
            yield start, end
            start, waiting = None, 0
        start, end, waiting = start or hour, hour + _HOUR, waiting + int(requests)
    if start is not None and end is not None:
        yield start, end


def _digest(cursor: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> None:
    first = start.replace(hour=0)
    last = (end - _HOUR).replace(hour=0) + _DAY
    for table in DIGESTS:
        span = [first, last] if table.base else [start, end]
        step = quoted(table.step)
        keys = ", ".join(map(quoted, (table.step, *table.keys)))
        source = _merged(table) if table.base else counted(table.facts, _RAW, table.step, table.dimensions)
        cursor.execute(f"delete from {table.table} where {step} >= $1 and {step} < $2", span)
        cursor.execute(f"insert into {table.table} by name {source} order by {keys}", span)
    cursor.execute("delete from attempts where started_at >= $1 and started_at < $2", [start, end])
    cursor.execute(
        f"insert into attempts by name select {_ATTEMPTS} from {_RAW} where {IS_ATTEMPT} order by started_at",
        [start, end],
    )
    cursor.execute("delete from changed_hours where hour >= $1 and hour < $2", [start, end])


def _merged(table: Rollup) -> str:
    """SQL of the steps of a digest, made of those of its base."""
    keys = ", ".join(map(quoted, table.keys))
    return (
        f"select date_trunc('{table.step}', hour) as {quoted(table.step)}, {keys}, {table.facts.added()}"
        f" from {table.base} u where hour >= $1 and hour < $2 group by all"
    )
