"""Numbers, waits and moments as headers write them. What cannot be read is unknown, not an error."""

import contextlib
import email.utils
import functools
import re
from datetime import UTC, datetime
from typing import Final

_ONE_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)", re.ASCII)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([mun]s|[smhd])", re.ASCII)
_WHOLE: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:[mun]s|[smhd]) *)+", re.ASCII)
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MICRO: Final = ("\u00c2\u00b5", "\u00ce\u00bc", "\u00b5", "\u03bc")
"""Both letters for millionths, and what their UTF-8 is in the encoding of headers."""

_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE]\+?\d{1,2})?", re.ASCII)
_LARGEST: Final = 10**15
_LONGEST_WAIT: Final = 366 * 86_400
_LONGEST_DATE: Final = 64
_EPOCHS: Final = ((10**9, 10**11, 1), (10**12, 10**14, 1000))
"""From when to when a number is a moment since 1970, and how many of its units a second has: no wait is so long."""


@functools.lru_cache(maxsize=1024)
def seconds_of(text: str) -> float | None:
    """A wait such as `6m0s`, `1m 30s`, `120ms`, `7.66s` or bare seconds; None for none of these, or above a year."""
    text = text.strip()
    if one := _ONE_PART.fullmatch(text):
        wait: float | None = float(one[1]) * _SECONDS[one[2]]
    elif _WHOLE.fullmatch(plain := _with_plain_units(text)):
        wait = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(plain))
    else:
        wait = number_of(text)
    return round(wait, 6) if wait is not None and 0 <= wait <= _LONGEST_WAIT else None


def number_of(text: str) -> float | None:
    """A decimal number, such as `1000`, `1,000` or `1e3`; None when it is none."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", ""))
    return number if abs(number) < _LARGEST else None


def count_of(text: str) -> int | None:
    """A whole number, None when it is none."""
    number = number_of(text)
    return None if number is None else int(number)


def percentage_of(text: str) -> float | None:
    """A number that may end with a percent sign, None when it is none."""
    return number_of(text.strip().removesuffix("%"))


def wait_until(text: str) -> float | None:
    """Seconds from now to a moment, zero for one that is past; None when it is none, or more than a year ahead.

    Args:
        text: a date of HTTP or of RFC 3339, or seconds or milliseconds since 1970.
    """
    moment = _moment_of(text.strip())
    wait = None if moment is None else max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    return wait if wait is not None and wait <= _LONGEST_WAIT else None


def _since(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _with_plain_units(text: str) -> str:
    for sign in () if text.isascii() else _MICRO:
        text = text.replace(f"{sign}s", "us")
    return text


def _moment_of(text: str) -> datetime | None:
    if len(text) > _LONGEST_DATE:
        return None
    number = number_of(text)
    if number is not None:
        return next((_since(number / parts) for first, last, parts in _EPOCHS if first <= number < last), None)
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            moment = read(text)
            return moment if moment.tzinfo else None
    return None
