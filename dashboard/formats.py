"""How figures and times are written for people. Unknown is a word or a dash, never a zero."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from monitor.alerts.wording import MONTHS
from monitor.ledger.queries import Totals

DASH: Final = "–"
_SMALLEST: Final = Decimal("0.000001")
_CENT: Final = Decimal("0.01")
_CENTS: Final = Decimal("0.0995")
_NO_CENTS: Final = Decimal("999.995")
_TWO_DIGITS: Final = Context(prec=2, rounding=ROUND_HALF_UP)
_DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS: Final = ((999_500_000, "B"), (999_500, "M"), (1000, "k"))
_MARKS: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]()<>#+-.!|~$:"})


def money(amount: Decimal | None) -> str:
    """USD with as many digits as make sense: `$0.0042`, `$12.34`, `$1,234`."""
    if amount is None:
        return "unknown"
    size = abs(amount)
    sign = "-" if amount < 0 else ""
    if 0 < size < _SMALLEST:
        return f"<{sign}${_SMALLEST}"
    if size >= _NO_CENTS:
        return f"{sign}${size.quantize(Decimal(1), ROUND_HALF_UP):,f}"
    if size >= _CENTS or not size:
        return f"{sign}${size.quantize(_CENT, ROUND_HALF_UP):,f}"
    return f"{sign}${_TWO_DIGITS.plus(size):f}"


def spend(totals: Totals) -> str:
    """What the requests cost as far as it is known; `$0.00` only where there was nothing to pay."""
    if totals.list_cost is None and not totals.unpriced_requests:
        return money(Decimal(0))
    return money(totals.list_cost)


def count(number: int | None) -> str:
    """`9,876`, `12.3 k`, `4.56 M`."""
    if number is None:
        return DASH
    if abs(number) < 10_000:
        return f"{number:,}"
    value, unit = next((number / scale, unit) for scale, unit in _UNITS if abs(number) >= scale)
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:,.{digits}f} {unit}"


def duration(seconds: float | None) -> str:
    """`850 ms`, `2.3 s`, `4 min 10 s`."""
    if seconds is None:
        return DASH
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def percent(fraction: float | Decimal | None) -> str:
    """`2.5%`, `81%`; a trace is `<0.1%`."""
    if fraction is None:
        return DASH
    value = float(fraction) * 100
    if 0 < value < 0.1:
        return "<0.1%"
    return f"{value:,.1f}%" if 0 < value < 9.95 else f"{value:,.0f}%"


def signed_percent(fraction: Decimal | None) -> str | None:
    """`+12%`, `-3.4%`, tenfold and more `×12`; None where there is nothing to compare with."""
    if fraction is None:
        return None
    value = float(fraction) * 100
    if value >= 900:
        return f"×{value / 100 + 1:,.0f}"
    if abs(value) < 0.05:
        return "0%"
    return f"{value:+,.1f}%" if abs(value) < 9.95 else f"{value:+,.0f}%"


def signed_points(before: float, now: float) -> str:
    """`+0.6 points` of percent."""
    points = round((now - before) * 100, 1)
    return f"{points:+.1f} points" if points else "0 points"


def size(amount: int) -> str:
    """`0 B`, `12 kB`, `3.4 MB`."""
    value = float(amount)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} GB"


def moment(when: datetime, time_zone: str, now: datetime) -> str:
    """`14:03:22` for today, `20 Nov 14:03` for this year, else with the year."""
    zone = ZoneInfo(time_zone)
    local, today = when.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{day(local)}{year} {local:%H:%M}"


def exact_moment(when: datetime, time_zone: str) -> str:
    """`20 Nov 2026 14:03:22 Europe/Berlin`."""
    local = when.astimezone(ZoneInfo(time_zone))
    return f"{day(local)} {local.year} {local:%H:%M:%S} {time_zone}"


def day(local: datetime) -> str:
    """`20 Nov`, whatever the locale of the process."""
    return f"{local.day} {MONTHS[local.month - 1][:3]}"


def month(local: datetime) -> str:
    """`November`."""
    return MONTHS[local.month - 1]


def weekday(local: datetime) -> str:
    """`Fri 20 Nov`."""
    return f"{_DAY_NAMES[local.weekday()]} {day(local)}"


def plain(text: str) -> str:
    """The text so that Markdown shows it as it is: names and messages come from outside."""
    return " ".join(text.split()).translate(_MARKS)
