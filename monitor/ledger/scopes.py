"""Turns filters and spans of time into SQL conditions with bound values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.budgets.model import Scope
from monitor.errors import LedgerError
from monitor.ledger.columns import quoted
from monitor.records import DIMENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test on a dimension: its value is one of `values`, or none of them when negated.

    None among the values stands for requests that have no value. A negated test holds for requests without one.
    """

    dimension: str
    values: tuple[str | None, ...]
    is_negated: bool = False


def conditions_of(scope: Scope) -> tuple[Condition, ...]:
    """The matchers of a budget or a report as conditions."""
    return tuple(
        Condition(dimension=matcher.dimension, values=matcher.values, is_negated=matcher.is_negated)
        for matcher in scope
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which requests a question is about: those that began in [start, end) and meet all conditions."""

    start: datetime
    end: datetime
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True)
class Where:
    """SQL text and the values of its marks, in order."""

    sql: str = "true"
    values: list[object] = field(default_factory=list)

    def also(self, sql: str, *values: object) -> None:
        """Add a condition that must hold too."""
        self.sql = f"{self.sql} and {sql}"
        self.values.extend(values)


def where(conditions: Sequence[Condition]) -> Where:
    """The SQL of conditions.

    Raises:
        LedgerError: a dimension is not one of the ledger.
    """
    built = Where()
    for condition in conditions:
        column = dimension_column(condition.dimension)
        named = [value for value in condition.values if value is not None]
        test = f"coalesce(list_contains(?, {column}), false)"
        if len(named) < len(condition.values):
            test = f"({test} or {column} is null)"
        built.also(f"not {test}" if condition.is_negated else test, named)
    return built


def dimension_column(name: str) -> str:
    """The quoted column of a dimension.

    Raises:
        LedgerError: there is no such dimension; the text lists those there are.
    """
    if name not in DIMENSIONS:
        raise LedgerError(f"{name!r} is not a dimension. The dimensions are: {', '.join(DIMENSIONS)}.")
    return quoted(name)


def naive(moment: datetime) -> datetime:
    """The moment as the ledger has it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def edges(start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], list[tuple[datetime, datetime]]]:
    """Split [start, end) (ledger times) into the whole hours inside and the parts of hours at its ends.

    The whole hours are answered by the rollup, the parts by the requests. Zones such as Asia/Kolkata make them.
    """
    first = start.replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += timedelta(hours=1)
    last = end.replace(minute=0, second=0, microsecond=0)
    if last < first:
        return (first, first), [(start, end)]
    parts = [(a, b) for a, b in ((start, first), (last, end)) if a < b]
    return (first, last), parts


def split_hours(span: Slice, zone: ZoneInfo) -> list[datetime]:
    """The hours (ledger times) in which a day of the zone begins, where it does not begin with the hour."""
    found = []
    for midnight in _midnights(span, zone):
        moment = naive(midnight)
        hour = moment.replace(minute=0, second=0, microsecond=0)
        if hour != moment:
            found.append(hour)
    return found


def is_whole_hours(span: Slice, zone: ZoneInfo) -> bool:
    """Whether the hours of the zone begin with those of UTC, all over the slice."""
    return all(
        (midnight.utcoffset() or timedelta()) % timedelta(hours=1) == timedelta() for midnight in _midnights(span, zone)
    )


def _midnights(span: Slice, zone: ZoneInfo) -> Iterator[datetime]:
    """The beginning of each day of the zone from the one of the start to the one after the end."""
    day = span.start.astimezone(zone).date()
    last = span.end.astimezone(zone).date() + timedelta(days=1)
    while day <= last:
        yield datetime.combine(day, time(), zone)
        day += timedelta(days=1)
