"""What was used in a slice of time: the coarsest rollup that knows what is asked for, the requests for the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger, named_rows
from monitor.ledger.measures import USAGE, Facts
from monitor.ledger.rollup import DIGESTS, ROLLUPS, Rollup, counted
from monitor.ledger.scopes import Slice, Where, naive, where
from monitor.ledger.steps import ALL_AT_ONCE, Cut, step_sql

_LENGTHS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_INSTANT: Final = timedelta(microseconds=1)
_TABLES: Final = (*ROLLUPS, *DIGESTS)


@dataclass(frozen=True, slots=True)
class Move:
    """A stretch of time, less than a day of UTC, that belongs to another step than most of its day."""

    start: datetime
    end: datetime

    @property
    def noon(self) -> datetime:
        """The middle of the day, which most of it goes with."""
        return self.start.replace(hour=12, minute=0)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time (ledger times) and what answers for it: a rollup, else the requests.

    Of its hours those in `hours` are left out by a rollup; the requests answer for these alone, if there are any. A
    rollup by day tells of another step what the requests in `moves` come to.
    """

    start: datetime
    end: datetime
    rollup: Rollup | None
    hours: tuple[datetime, ...] = ()
    moves: tuple[Move, ...] = ()


def usage_rows(
    span: Slice, *, by: Sequence[str] = (), cut: Cut = ALL_AT_ONCE, facts: Facts = USAGE, only: str = "true"
) -> Where:
    """SQL of a subquery with the measures of exactly the slice, to be added up.

    Args:
        span: the slice.
        by: the columns that its rows are told apart by.
        cut: how its time is cut: the rows have the column `moment`, unless all of time is one.
        facts: which measures.
        only: a condition on columns of `by`, besides.
    """
    scope = where(span.conditions)
    needed = {*by, *(condition.dimension for condition in span.conditions)}
    built = Where(sql="")
    for part in parts_of(naive(span.start), naive(span.end), needed, cut, facts):
        sql = _of_requests(part, by, cut, facts) if part.rollup is None else _of_rollup(part.rollup, part, by, cut)
        if part.moves:
            sql = f"{_moved(by, facts)} union all by name {sql}"
        built.sql += f"{' union all by name ' if built.sql else ''}{sql.format(scope=f'{scope.sql} and {only}')}"
        if part.moves:
            built.values += [[getattr(move, name) for move in part.moves] for name in ("start", "noon", "end")]
            built.values += [*_bounds(part.moves), *scope.values]
        built.values += [part.start, part.end, *([list(part.hours)] if part.hours else []), *scope.values]
    built.sql = f"({built.sql})"
    return built


def stepped(source: Where, step: str, time_zone: str) -> Where:
    """The same rows with `start`, the beginning of the step in which each `moment` lies, as `step_sql` says it."""
    start, marks = step_sql(step, "moment")
    # Each moment is brought into the zone once: that takes a thousand times as long as an addition.
    sql = f"""(
        with cut as materialized (from {source.sql})
        from cut join (select moment, {start} as start from (select distinct moment from cut)) using (moment)
    )"""
    return Where(sql=sql, values=[*source.values, *[time_zone] * marks])


def parts_of(start: datetime, end: datetime, needed: set[str], cut: Cut, facts: Facts) -> list[Part]:
    """What answers a question about [start, end), piece by piece; together they cover it once."""
    levels = [rollup for step in cut.steps if (rollup := _rollup(step, needed, facts))]
    by_day = _rollup("day", needed, facts)
    if cut.edges and by_day and not levels:
        found = [replace(part, moves=_moves(part, cut.edges)) for part in _covered(start, end, [by_day])]
        return found or [Part(start, start, None)]
    found = list(_covered(start, end, levels))
    if cut.split_hours:
        found = [piece for part in found for piece in _split(part, cut.split_hours)]
    return found or [Part(start, start, None)]


def _rollup(step: str, needed: set[str], facts: Facts) -> Rollup | None:
    return next((r for r in _TABLES if r.step == step and r.facts is facts and needed <= {*r.keys}), None)


def _moves(part: Part, edges: Sequence[datetime]) -> tuple[Move, ...]:
    """What of the days of a part belongs to another step than their noon, the steps beginning at the edges."""
    if part.rollup is None:
        return ()
    found = []
    for edge in edges:
        day = edge.replace(hour=0, minute=0)
        if part.start <= day < part.end and edge != day:
            noon = day.replace(hour=12)
            found.append(Move(edge, day + _LENGTHS["day"]) if edge >= noon else Move(day, edge))
    return tuple(found)


def _covered(start: datetime, end: datetime, levels: Sequence[Rollup]) -> Iterator[Part]:
    """The whole steps of the first level, and at both ends of them what the finer levels have."""
    if start >= end:
        return
    if not levels:
        yield Part(start, end, None)
        return
    first, last = _whole(start, end, levels[0].step)
    if first >= last:
        yield from _covered(start, end, levels[1:])
        return
    yield from _covered(start, first, levels[1:])
    yield Part(first, last, levels[0])
    yield from _covered(last, end, levels[1:])


def _split(part: Part, hours: tuple[datetime, ...]) -> Iterator[Part]:
    """The same stretch with the requests in the place of the rollup for these hours."""
    inside = tuple(hour for hour in hours if part.start <= hour < part.end)
    if part.rollup is None or not inside:
        yield part
        return
    yield replace(part, hours=inside)
    yield Part(inside[0], inside[-1] + _LENGTHS["hour"], None, inside)


def _whole(start: datetime, end: datetime, step: str) -> tuple[datetime, datetime]:
    """The beginning of the first whole step in [start, end), and the end of the last one."""
    length = _LENGTHS[step]
    first, last = (moment.replace(minute=0, second=0, microsecond=0) for moment in (start, end))
    if step == "day":
        first, last = first.replace(hour=0), last.replace(hour=0)
    return first if first == start else first + length, last


def _of_rollup(rollup: Rollup, part: Part, by: Sequence[str], cut: Cut) -> str:
    step = quoted(rollup.step)
    others = f" and not list_contains(?, {step})" if part.hours else ""
    begin = f"{step} + interval 12 hours" if rollup.step == "day" and cut.moments else step
    moment = f"{begin} as moment, " if cut.moments else ""
    return (
        f"select {moment}{_names(by)}{rollup.facts.added()} from {rollup.table} u"
        f" where {step} >= ? and {step} < ?{others} and {{scope}} group by all having {rollup.facts.is_there}"
    )


def _of_requests(part: Part, by: Sequence[str], cut: Cut, facts: Facts) -> str:
    hours = " and list_contains(?, date_trunc('hour', started_at))" if part.hours else ""
    chosen = f"(select * from requests where started_at >= ? and started_at < ?{hours} and {{scope}})"
    dimensions = [name for name in by if name not in facts.keys]
    rows = counted(facts, chosen, cut.moments, dimensions)
    moment = f"{quoted(cut.moments)} as moment, " if cut.moments else ""
    return f"select {moment}{_names(by)}{', '.join(facts.measures)} from ({rows})"


def _moved(by: Sequence[str], facts: Facts) -> str:
    """SQL that takes the requests of moves from the noon of their day to their own time."""
    chosen = f"(select * from requests where {_WITHIN} and {{scope}})"
    # No two moves overlap, so the last that begins before a request is its own, if it is in one.
    source = f"(from {chosen} r asof join moves m on r.started_at >= m.moment where r.started_at < m.until)"
    names = _names(by)
    return f"""(
        with moves as materialized (
            select unnest(?::timestamp[]) as moment, unnest(?::timestamp[]) as noon, unnest(?::timestamp[]) as until
        ),
        moved as materialized ({counted(facts, source, None, (*by, "moment", "noon"))})
        select moment, {names}{", ".join(facts.measures)} from moved
        union all select noon, {names}{facts.negated()} from moved
    )"""


_WITHIN: Final = "started_at >= ? and started_at < ? and hour(started_at) between ? and ?"
"""What lets a scan pass over most of the table: it is one scan, as many take seconds to be planned, and the hour is
quicker to look at than the ranges themselves. A request that is in a move meets it; others may."""


def _bounds(moves: Sequence[Move]) -> list[object]:
    """The values of the marks of `_WITHIN`."""
    firsts = [move.start.hour for move in moves]
    lasts = [(move.end - _INSTANT).hour for move in moves]
    return [moves[0].start, moves[-1].end, min(firsts), max(lasts)]


def _names(columns: Sequence[str]) -> str:
    return "".join(f"{quoted(name)}, " for name in columns)


def rows(ledger: Ledger, sql: str, values: list[object]) -> list[dict[str, Any]]:
    """The answer to a question as plain rows."""
    with ledger.cursor() as cursor:
        return named_rows(cursor.execute(sql, values))
