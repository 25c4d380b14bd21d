"""Steps of time in questions, in the zone that is asked for, and what of the rollups they can be made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from monitor.ledger.scopes import Slice, naive

TIME_STEPS: Final = ("minute", "hour", "day", "week", "month")
_ON_THE_CLOCK: Final = ("minute", "hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a question cuts time.

    Attributes:
        steps: the steps of rollups that never lie in two of its own.
        moments: `hour` or `minute`: what tells its rows apart in time; None where all of time is one.
        split_hours: hours (ledger times) in which one of its steps begins; only the requests can tell what is when.
        edges: when its steps begin (ledger times), if that is within days of UTC.
    """

    steps: tuple[str, ...]
    moments: str | None = None
    split_hours: tuple[datetime, ...] = ()
    edges: tuple[datetime, ...] = ()


ALL_AT_ONCE: Final = Cut(steps=("day", "hour"))


def cut_of(span: Slice, step: str, zone: ZoneInfo) -> Cut:
    """How the steps of a series cut its slice.

    Raises:
        ValueError: the step is not one of `TIME_STEPS`.
    """
    if step not in TIME_STEPS:
        raise ValueError(f"{step!r} is not one of {', '.join(TIME_STEPS)}")
    midnights = [naive(midnight) for midnight in _midnights(span, zone)]
    split = tuple(hour for midnight in midnights if (hour := midnight.replace(minute=0, second=0)) != midnight)
    if step in _ON_THE_CLOCK:
        # The hours of a zone begin with those of UTC where its days do.
        is_fine = step == "minute" or split
        return Cut(steps=(), moments="minute") if is_fine else Cut(steps=("hour",), moments="hour")
    if all(midnight.hour == midnight.minute == 0 for midnight in midnights):
        return Cut(steps=("day", "hour"), moments="hour")
    edges = tuple(sorted({naive(midnight) for midnight in _midnights(span, zone) if _is_begin(step, midnight)}))
    return Cut(steps=("hour",), moments="minute" if split else "hour", split_hours=split, edges=edges)


def _is_begin(step: str, midnight: datetime) -> bool:
    return step == "day" or (midnight.weekday() == 0 if step == "week" else midnight.day == 1)


def step_sql(step: str, moment: str) -> tuple[str, int]:
    """SQL of the step in which a ledger time lies, and how many marks it has: each wants the name of the zone.

    Days, weeks and months begin at midnight of the zone and are times on its walls; hours are UTC, for when clocks are
    set back two of them have the same name. Minutes are those of UTC in every zone.
    """
    if step == "minute":
        return f"date_trunc('minute', {moment})", 0
    local = f"timezone(?, timezone('UTC', {moment}))"
    begin = f"date_trunc('{step}', {local})"
    return (f"{begin} - ({local} - {moment})", 2) if step == "hour" else (begin, 1)


def step_start(step: str, found: datetime, time_zone: str) -> datetime:
    """What `step_sql` found, as aware UTC."""
    zone = UTC if step in _ON_THE_CLOCK else ZoneInfo(time_zone)
    return found.replace(tzinfo=zone).astimezone(UTC)


def _midnights(span: Slice, zone: ZoneInfo) -> Iterator[datetime]:
    """The beginning of each day of the zone from the one of the start to the one after the end."""
    day = span.start.astimezone(zone).date()
    last = span.end.astimezone(zone).date() + timedelta(days=1)
    while day <= last:
        yield datetime.combine(day, time(), zone)
        day += timedelta(days=1)
