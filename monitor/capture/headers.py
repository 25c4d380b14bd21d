"""What the headers of an answer say, read in one pass over the pairs as they came."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from monitor.capture.limits import count_of, number_of, percentage_of, seconds_of, wait_until

Facts = dict[str, Any]
_Reader = Callable[[bytes], object]
_Putter = Callable[[Facts, bytes], None]

_LONGEST: Final = 256
_MAX_KNOWN: Final = 512
_PREFIX: Final = "x-ratelimit-"
_SURELY_SMALL: Final = 15

CONTENT_TYPE: Final = "content_type"
CONTENT_ENCODING: Final = "content_encoding"
OTHER_LIMITS: Final = "other_limits"


def read_headers(raw: Iterable[tuple[bytes, bytes]], facts: Facts) -> tuple[str, str | None]:
    """Put what the headers of an answer state into `facts`; returns content type and content encoding.

    Limits of requests and of tokens have fields of their own; all others go to `other_limits`, named by the rest of
    their header. An empty or masked value is left out. Without a content type that is "".

    Args:
        raw: names and values as the HTTP library gives them; names in any case.
        facts: fields of a record.
    """
    known = _KNOWN
    for name, value in raw:
        if way := known[name]:
            field, read = way
            if field is None:
                read(facts, value)
            elif (told := read(value)) is not None:
                facts[field] = told
    return facts.pop(CONTENT_TYPE, ""), facts.pop(CONTENT_ENCODING, None)


def _text(value: bytes) -> str | None:
    return value.decode("latin-1")[:_LONGEST] or None


def _count(value: bytes) -> int | None:
    if value.isdigit() and len(value) <= _SURELY_SMALL:
        return int(value)
    return count_of(value.decode("latin-1"))


def _milliseconds(value: bytes) -> float | None:
    number = _count(value) if value.isdigit() else number_of(value.decode("latin-1"))
    return number / 1000 if number is not None and number >= 0 else None


class _Waits(dict[bytes, float | None]):
    """Waits by how they are written: the usual ones are few."""

    def __missing__(self, value: bytes) -> float | None:
        text = value.decode("latin-1")
        wait = seconds_of(text)
        if wait is None:
            # A moment, which comes nearer.
            return wait_until(text)
        if len(self) < _MAX_KNOWN:
            self[value] = wait
        return wait


_wait: Final[_Reader] = _Waits().__getitem__


def _second(field: str, read: _Reader) -> _Putter:
    def put(facts: Facts, value: bytes) -> None:
        if field not in facts and (told := read(value)) is not None:
            facts[field] = told

    return put


def _other(field: str, number_in: Callable[[str], float | None]) -> _Putter:
    def put(facts: Facts, value: bytes) -> None:
        number = number_in(value.decode("latin-1"))
        if number is not None:
            facts.setdefault(OTHER_LIMITS, {})[field] = number

    return put


def _nearest(text: str) -> float | None:
    wait = seconds_of(text)
    return wait_until(text) if wait is None else wait


_READERS: Final[dict[str, tuple[str, _Reader]]] = {
    "content-type": (CONTENT_TYPE, _text),
    "content-encoding": (CONTENT_ENCODING, _text),
    "x-request-id": ("request_id", _text),
    "openai-organization": ("billing_account_id", _text),
    "openai-project": ("sub_account_id", _text),
    "openai-processing-ms": ("server_duration", _milliseconds),
    "x-ratelimit-limit-requests": ("requests_limit", _count),
    "x-ratelimit-remaining-requests": ("requests_remaining", _count),
    "x-ratelimit-reset-requests": ("requests_reset", _wait),
    "x-ratelimit-limit-tokens": ("tokens_limit", _count),
    "x-ratelimit-remaining-tokens": ("tokens_remaining", _count),
    "x-ratelimit-reset-tokens": ("tokens_reset", _wait),
    "retry-after-ms": ("retry_after", _milliseconds),
}
_PUTTERS: Final[dict[str, _Putter]] = {
    "apim-request-id": _second("request_id", _text),
    "retry-after": _second("retry_after", _wait),
    "azure-openai-deployment-utilization": _other("deployment-utilization", percentage_of),
}

_Way = tuple[str | None, Callable[..., object]]
"""A field and what reads its value; without a field, what puts whatever there is to be put."""


def _way_of(name: str) -> _Way | None:
    if way := _READERS.get(name):
        return way
    put = _PUTTERS.get(name)
    if put is None and name.startswith(_PREFIX):
        kind, _, what = name.removeprefix(_PREFIX).partition("-")
        if what:
            put = _other(f"{kind}-{what}", _nearest if kind == "reset" else number_of)
    return None if put is None else (None, put)


class _Known(dict[bytes, _Way | None]):
    """How to read a header, by its name as it came, whatever its case; a name seen before costs one look."""

    def __missing__(self, name: bytes) -> _Way | None:
        way = _way_of(name.decode("latin-1").lower())
        if len(self) < _MAX_KNOWN:
            self[name] = way
        return way


_KNOWN: Final = _Known()
