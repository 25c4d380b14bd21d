"""What the headers of an answer say, read in one pass over the pairs as they came."""

from collections.abc import Callable, Iterable
from operator import methodcaller
from typing import Any, Final

import msgspec

from monitor.capture.limits import count_of, number_of, percentage_of, seconds_of, wait_until

Facts = dict[str, Any]
_Reader = Callable[[bytes], object]
_Putter = Callable[[Facts, bytes], None]

_LONGEST: Final = 256
_MAX_KNOWN: Final = 512
_PREFIX: Final = "x-ratelimit-"
_DRAFT: Final = "ratelimit-"
"""The IETF's draft for the same (draft-ietf-httpapi-ratelimit-headers), without the x."""

_SURELY_SMALL: Final = 15

CONTENT_TYPE: Final = "content_type"
CONTENT_ENCODING: Final = "content_encoding"
OTHER_LIMITS: Final = "other_limits"

_decode_count: Final = msgspec.json.Decoder(int).decode


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
        way = known[name]
        if way is not None and value:
            field, read, longest, read_odd = way
            if field is None:
                read(facts, value)
                continue
            try:
                told = read(value) if len(value) <= longest else read_odd(value)
            except msgspec.MsgspecError:
                told = read_odd(value)
            if told is not None:
                facts[field] = told
    return facts.pop(CONTENT_TYPE, ""), facts.pop(CONTENT_ENCODING, None)


def _long_text(value: bytes) -> str:
    return value[:_LONGEST].decode("latin-1")


def _odd_count(value: bytes) -> int | None:
    number, has_rule, _ = value.decode("latin-1").partition(";")
    # The draft lets the rule follow the number: `100;w=60`, `100,100;w=60,5000;w=3600`.
    return count_of(number.partition(",")[0] if has_rule else number)


def _unknown(_value: bytes) -> None:
    """A value much longer than any that says something."""


def _seconds_of_milliseconds(value: bytes) -> float | None:
    if value.isdigit() and len(value) <= _SURELY_SMALL:
        return int(value) / 1000
    number = number_of(value.decode("latin-1"))
    return number / 1000 if number is not None and number >= 0 else None


class _Waits(dict[bytes, float | None]):
    """Waits by how they are written: the usual ones are few."""

    def __missing__(self, value: bytes) -> float | None:
        text = value.decode("latin-1")
        wait = seconds_of(text)
        if wait is None:
            # A moment comes nearer: it is not remembered.
            return wait_until(text)
        if len(self) < _MAX_KNOWN:
            self[value] = wait
        return wait


_seconds: Final[_Reader] = _Waits().__getitem__


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


_Way = tuple[str | None, Callable[..., Any], int, _Reader]
"""A field, what reads its value, how long values are that it can read, and what reads all others.

What reads most is made in C, for a function of ours takes longer. Without a field, the first puts whatever there
is to be put.
"""


def _text(field: str) -> _Way:
    return field, methodcaller("decode", "latin-1"), _LONGEST, _long_text


def _count(field: str) -> _Way:
    return field, _decode_count, _SURELY_SMALL, _odd_count


def _milliseconds(field: str) -> _Way:
    return field, _seconds_of_milliseconds, _LONGEST, _unknown


def _wait(field: str) -> _Way:
    return field, _seconds, _LONGEST, _unknown


_READERS: Final[dict[str, _Way]] = {
    "content-type": _text(CONTENT_TYPE),
    "content-encoding": _text(CONTENT_ENCODING),
    "x-request-id": _text("request_id"),
    "openai-organization": _text("billing_account_id"),
    "openai-project": _text("sub_account_id"),
    "openai-processing-ms": _milliseconds("server_duration"),
    "x-ratelimit-limit-requests": _count("requests_limit"),
    "x-ratelimit-remaining-requests": _count("requests_remaining"),
    "x-ratelimit-reset-requests": _wait("requests_reset"),
    "x-ratelimit-limit-tokens": _count("tokens_limit"),
    "x-ratelimit-remaining-tokens": _count("tokens_remaining"),
    "x-ratelimit-reset-tokens": _wait("tokens_reset"),
    "retry-after-ms": _milliseconds("retry_after"),
}
_PUTTERS: Final[dict[str, _Putter]] = {
    "apim-request-id": _second("request_id", _long_text),
    "retry-after": _second("retry_after", _seconds),
    # Without a unit they are of requests, as OpenRouter and others have them.
    "x-ratelimit-limit": _second("requests_limit", _odd_count),
    "x-ratelimit-remaining": _second("requests_remaining", _odd_count),
    "x-ratelimit-reset": _second("requests_reset", _seconds),
    "azure-openai-deployment-utilization": _other("deployment-utilization", percentage_of),
}


def _way_of(name: str) -> _Way | None:
    if name.startswith(_DRAFT):
        name = f"x-{name}"
    if way := _READERS.get(name):
        return way
    put = _PUTTERS.get(name)
    if put is None and name.startswith(_PREFIX):
        kind, _, what = name.removeprefix(_PREFIX).partition("-")
        if what:
            put = _other(f"{kind}-{what}", _nearest if kind == "reset" else number_of)
    return None if put is None else (None, put, 0, _unknown)


class _Known(dict[bytes, _Way | None]):
    """How to read a header, by its name as it came, whatever its case; a name seen before costs one look."""

    def __missing__(self, name: bytes) -> _Way | None:
        way = _way_of(name.decode("latin-1").lower())
        if len(self) < _MAX_KNOWN:
            self[name] = way
        return way


_KNOWN: Final = _Known()
