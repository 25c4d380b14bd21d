"""Rate-limit headers as numbers and seconds. What cannot be read is unknown, not an error."""

import email.utils
import functools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_WHOLE: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PREFIX: Final = "x-ratelimit-"
_COUNTS: Final = {
    f"{_PREFIX}{kind}-{what}": f"{what}_{kind}" for kind in ("limit", "remaining") for what in ("requests", "tokens")
}
_RESETS: Final = {f"{_PREFIX}reset-{what}": f"{what}_reset" for what in ("requests", "tokens")}
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_LARGEST: Final = 10**15
_SURELY_SMALL: Final = 18


@functools.lru_cache(maxsize=1024)
def seconds_of(text: str) -> float | None:
    """A wait such as `6m0s`, `120ms`, `7.66s` or bare seconds; None when it is none of these."""
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return round(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text)), 6)
    number = number_of(text)
    return number if number is not None and number >= 0 else None


def number_of(text: str) -> float | None:
    """A plain decimal number, None when it is none."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if abs(number) < _LARGEST else None


def _count_of(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _SURELY_SMALL:
        return int(text)
    number = number_of(text)
    return None if number is None else int(number)


def limit_fields(headers: Mapping[str, str]) -> dict[str, object]:
    """The rate-limit fields of a record from the answer's headers (names in lower case).

    Limits of requests and of tokens have fields of their own; all others go to `other_limits`, named by the rest of
    their header. An empty or masked value is left out.
    """
    fields: dict[str, object] = {}
    others: dict[str, float] = {}
    for name, text in headers.items():
        if own := _COUNTS.get(name):
            if (count := _count_of(text)) is not None:
                fields[own] = count
        elif own := _RESETS.get(name):
            if (wait := seconds_of(text)) is not None:
                fields[own] = wait
        elif name.startswith(_PREFIX):
            kind, _, what = name.removeprefix(_PREFIX).partition("-")
            value = seconds_of(text) if kind == "reset" else number_of(text)
            if value is not None and what:
                others[f"{kind}-{what}"] = value
    if others:
        fields["other_limits"] = others
    wait = retry_after(headers)
    if wait is not None:
        fields["retry_after"] = wait
    return fields


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a date."""
    if "retry-after" not in headers and "retry-after-ms" not in headers:
        return None
    milliseconds = number_of(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = seconds_of(text)
    if seconds is not None or not text:
        return seconds
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0) if moment.tzinfo else None
