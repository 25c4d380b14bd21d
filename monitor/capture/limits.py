"""Numbers, waits and moments as headers write them. What cannot be read is unknown, not an error."""

import contextlib
import email.utils
import functools
import re
from datetime import UTC, datetime
from typing import Final

_ONE_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)", re.ASCII)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])", re.ASCII)
_WHOLE: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_LARGEST: Final = 10**15
_LONGEST_DATE: Final = 64


@functools.lru_cache(maxsize=1024)
def seconds_of(text: str) -> float | None:
    """A wait such as `6m0s`, `120ms`, `7.66s` or bare seconds; None when it is none of these."""
    text = text.strip()
    if one := _ONE_PART.fullmatch(text):
        wait: float | None = float(one[1]) * _SECONDS[one[2]]
    elif _WHOLE.fullmatch(text):
        wait = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    else:
        wait = number_of(text)
    return round(wait, 6) if wait is not None and 0 <= wait < _LARGEST else None


def number_of(text: str) -> float | None:
    """A plain decimal number, None when it is none."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if abs(number) < _LARGEST else None


def count_of(text: str) -> int | None:
    """A whole number, None when it is none."""
    number = number_of(text)
    return None if number is None else int(number)


def percentage_of(text: str) -> float | None:
    """A number that may end with a percent sign, None when it is none."""
    return number_of(text.strip().removesuffix("%"))


def wait_until(text: str) -> float | None:
    """Seconds from now to a date of HTTP or of RFC 3339, zero for one that is past; None when it is none."""
    moment = _moment_of(text.strip())
    return None if moment is None else max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _moment_of(text: str) -> datetime | None:
    if len(text) > _LONGEST_DATE:
        return None
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            moment = read(text)
            return moment if moment.tzinfo else None
    return None
