"""How money, shares, counts and moments are written for people."""

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from monitor.budgets.model import PeriodKind
from monitor.budgets.periods import Period

_CENT = Decimal("0.01")
_SMALLEST = Decimal("0.000001")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def usd(amount: Decimal) -> str:
    """`$1,234.50`; below one cent with six decimals. Cut off, never rounded up: $99.999 of $100 is not used up."""
    step = _SMALLEST if 0 < abs(amount) < _CENT else _CENT
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount).quantize(step, rounding=ROUND_DOWN):,f}"


def percent(fraction: Decimal) -> str:
    """`81%`, cut off as money is."""
    return f"{(fraction * 100).quantize(Decimal(1), rounding=ROUND_DOWN):,f}%"


def counted(number: int, noun: str) -> str:
    """`1 request`, `1,204 requests`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def local_time(moment: datetime, time_zone: str) -> str:
    """`2026-07-01 00:00 Europe/Berlin`."""
    return f"{moment.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M} {time_zone}"


def period_name(kind: PeriodKind, period: Period, time_zone: str) -> str:
    """`June 2026`, `the week from 2026-06-01`, `2026-06-17`."""
    first_day = period.start.astimezone(ZoneInfo(time_zone))
    # Month names are spelled here, for strftime would follow the locale of the process.
    names = {
        "month": f"{MONTHS[first_day.month - 1]} {first_day.year}",
        "week": f"the week from {first_day:%Y-%m-%d}",
        "day": f"{first_day:%Y-%m-%d}",
    }
    return names[kind]


def span(duration: timedelta) -> str:
    """The two greatest units: `2 days 3 hours`, `20 minutes`."""
    minutes = int(duration.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [counted(number, unit) for number, unit in ((days, "day"), (hours, "hour"), (minutes, "minute")) if number]
    return " ".join(parts[:2]) or "less than a minute"
