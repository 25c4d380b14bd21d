"""Calendar periods in a named time zone, exact when clocks change."""

import bisect
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.budgets.model import PeriodKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` (inside) to `end` (outside), both aware UTC."""

    start: datetime
    end: datetime


def period_of(kind: PeriodKind, time_zone: str, moment: datetime) -> Period:
    """The period that `moment` (aware) lies in.

    It begins at local midnight; where clocks skip midnight, at the first moment after it; where midnight comes twice,
    at the first one. So a day may have 23, 24 or 25 hours, and two periods neither overlap nor leave a gap.
    """
    zone = ZoneInfo(time_zone)
    first_day = _first_day(kind, moment.astimezone(zone).date())
    period = _period(kind, first_day, zone)
    # Where clocks go back over midnight, the local date falls behind the period for up to an hour.
    while moment >= period.end:
        first_day = _next(kind, first_day)
        period = _period(kind, first_day, zone)
    return period


def period_before(kind: PeriodKind, time_zone: str, period: Period) -> Period:
    """The period that ends where `period` starts."""
    return period_of(kind, time_zone, period.start - timedelta.resolution)


def _period(kind: PeriodKind, first_day: date, zone: ZoneInfo) -> Period:
    return Period(start=_midnight(first_day, zone), end=_midnight(_next(kind, first_day), zone))


def _first_day(kind: PeriodKind, day: date) -> date:
    if kind == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if kind == "week" else day


def _next(kind: PeriodKind, first_day: date) -> date:
    if kind == "month":
        return (first_day + timedelta(days=31)).replace(day=1)
    return first_day + timedelta(days=7 if kind == "week" else 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    wanted = datetime.combine(day, time.min)
    found = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _local(found, zone) == wanted:
        return found
    # Midnight is skipped: the local clock is before it at `earliest`, after it at `found`, and jumps on a full second.
    earliest = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range(int((found - earliest).total_seconds()))
    skip = bisect.bisect_left(
        seconds, x=True, key=lambda second: _local(earliest + timedelta(seconds=second), zone) >= wanted
    )
    return earliest + timedelta(seconds=skip)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
