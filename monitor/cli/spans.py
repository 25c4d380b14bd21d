"""Reads spans of time as people write them."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.errors import SettingsError

_SPAN = re.compile(r"(\d+)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_of(text: str, *, now: datetime, time_zone: str) -> datetime:
    """A moment: `7d` (ago; m, h, d, w), `today`, `yesterday`, `month`, `2026-11-01` or `2026-11-01T12:30`.

    Words and dates without an offset are read in the given zone.

    Raises:
        SettingsError: it is none of these.
    """
    zone = ZoneInfo(time_zone)
    word = text.strip().lower()
    found = _SPAN.fullmatch(word)
    if found:
        try:
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            raise SettingsError(f"{text!r} is further back than there is time.") from None
    today = now.astimezone(zone).date()
    days = {"today": today, "yesterday": today - timedelta(days=1), "month": today.replace(day=1)}
    if word in days:
        return datetime.combine(days[word], time(), zone).astimezone(UTC)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SettingsError(
            f"{text!r} is not a time. Write 7d, 24h, 90m, today, yesterday, month, 2026-11-01 or 2026-11-01T12:30."
        ) from None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise SettingsError(f"{text!r} is further away than there is time.") from None
