"""The spans of time a page can look at, each with the span before it that it is compared with. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from monitor.budgets.periods import Period, period_before, period_of

DEFAULT: Final = "Last 24 h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to now.

    `end` is the end of the current hour: nothing began after now, and whole hours are answered by the rollup.
    `before` is the span that a comparison is made with, as far into it as now is into this one.
    """

    label: str
    start: datetime
    now: datetime
    end: datetime
    before: Period
    step: str
    refresh: timedelta


def span_of(label: str, now: datetime, time_zone: str) -> Span:
    """The span with this label, one of `LABELS`; days begin at midnight in the zone."""
    start, before = _SPANS[label](now, time_zone)
    elapsed = now - start
    return Span(
        label=label,
        start=start,
        now=now,
        end=_end_of_hour(now),
        before=before,
        step=_step(elapsed),
        refresh=timedelta(seconds=2 if elapsed <= timedelta(hours=25) else 10),
    )


def _step(elapsed: timedelta) -> str:
    if elapsed <= timedelta(hours=2):
        return "minute"
    return "hour" if elapsed <= timedelta(days=3) else "day"


def _end_of_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _last(duration: timedelta) -> Callable[[datetime, str], tuple[datetime, Period]]:
    def starts(now: datetime, _: str) -> tuple[datetime, Period]:
        start = now - duration
        return start, Period(start=start - duration, end=start)

    return starts


def _days(number: int) -> Callable[[datetime, str], tuple[datetime, Period]]:
    def starts(now: datetime, time_zone: str) -> tuple[datetime, Period]:
        first = _day(now, time_zone, number - 1).start
        earlier = _day(first, time_zone, number).start
        return first, Period(start=earlier, end=earlier + (now - first))

    return starts


def _month(now: datetime, time_zone: str) -> tuple[datetime, Period]:
    month = period_of("month", time_zone, now)
    earlier = period_before("month", time_zone, month)
    return month.start, Period(start=earlier.start, end=min(earlier.start + (now - month.start), earlier.end))


def _day(moment: datetime, time_zone: str, back: int) -> Period:
    """The day that lies so many days before that of the moment."""
    found = period_of("day", time_zone, moment)
    for _ in range(back):
        found = period_before("day", time_zone, found)
    return found


_SPANS: Final[Mapping[str, Callable[[datetime, str], tuple[datetime, Period]]]] = MappingProxyType(
    {
        "Last hour": _last(timedelta(hours=1)),
        "Today": _days(1),
        "Last 24 h": _last(timedelta(hours=24)),
        "Last 7 days": _days(7),
        "Last 30 days": _days(30),
        "This month": _month,
    }
)

LABELS: Final = tuple(_SPANS)
