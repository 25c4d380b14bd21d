"""What the headers of an answer say, read in one pass over the pairs as they came."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from monitor.capture.limits import count_of, number_of, percentage_of, seconds_of, wait_until

Facts = dict[str, Any]
_Reader = Callable[[Facts, bytes], None]

_LONGEST: Final = 256
_MAX_KNOWN: Final = 512
_PREFIX: Final = "x-ratelimit-"
_SURELY_SMALL: Final = 15

CONTENT_TYPE: Final = "content_type"
CONTENT_ENCODING: Final = "content_encoding"
OTHER_LIMITS: Final = "other_limits"


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> tuple[Facts, str, str | None]:
    """Fields of the record, the content type ("" where there is none) and the content encoding of an answer.

    Limits of requests and of tokens have fields of their own; all others go to `other_limits`, named by the rest of
    their header. An empty or masked value is left out.

    Args:
        raw: names and values as the HTTP library gives them; names in any case.
    """
    facts: Facts = {}
    known = _KNOWN
    for name, value in raw:
        if reader := known[name]:
            reader(facts, value)
    return facts, facts.pop(CONTENT_TYPE, ""), facts.pop(CONTENT_ENCODING, None)


def _text(field: str) -> _Reader:
    def read(facts: Facts, value: bytes) -> None:
        if value:
            facts[field] = value.decode("latin-1")[:_LONGEST]

    return read


def _second_choice(field: str) -> _Reader:
    def read(facts: Facts, value: bytes) -> None:
        if value and field not in facts:
            facts[field] = value.decode("latin-1")[:_LONGEST]

    return read


def _count(field: str) -> _Reader:
    def read(facts: Facts, value: bytes) -> None:
        if value.isdigit() and len(value) <= _SURELY_SMALL:
            facts[field] = int(value)
        elif (count := count_of(value.decode("latin-1"))) is not None:
            facts[field] = count

    return read


def _wait(field: str) -> _Reader:
    def read(facts: Facts, value: bytes) -> None:
        wait = _nearest(value.decode("latin-1"))
        if wait is not None:
            facts[field] = wait

    return read


def _milliseconds(field: str) -> _Reader:
    def read(facts: Facts, value: bytes) -> None:
        if value.isdigit() and len(value) <= _SURELY_SMALL:
            facts[field] = int(value) / 1000
        elif (number := number_of(value.decode("latin-1"))) is not None and number >= 0:
            facts[field] = number / 1000

    return read


def _second_wait(field: str) -> _Reader:
    first = _wait(field)

    def read(facts: Facts, value: bytes) -> None:
        if field not in facts:
            first(facts, value)

    return read


def _other(field: str, number_in: Callable[[str], float | None]) -> _Reader:
    def read(facts: Facts, value: bytes) -> None:
        number = number_in(value.decode("latin-1"))
        if number is not None:
            facts.setdefault(OTHER_LIMITS, {})[field] = number

    return read


def _nearest(text: str) -> float | None:
    wait = seconds_of(text)
    return wait_until(text) if wait is None else wait


_READERS: Final[dict[str, _Reader]] = {
    "content-type": _text(CONTENT_TYPE),
    "content-encoding": _text(CONTENT_ENCODING),
    "x-request-id": _text("request_id"),
    "apim-request-id": _second_choice("request_id"),
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
    "retry-after": _second_wait("retry_after"),
    "azure-openai-deployment-utilization": _other("deployment-utilization", percentage_of),
}


def _reader_of(name: str) -> _Reader | None:
    reader = _READERS.get(name)
    if reader is None and name.startswith(_PREFIX):
        kind, _, what = name.removeprefix(_PREFIX).partition("-")
        if what:
            return _other(f"{kind}-{what}", _nearest if kind == "reset" else number_of)
    return reader


class _Known(dict[bytes, _Reader | None]):
    """Readers by the name as it came, whatever its case; a name seen before costs one look."""

    def __missing__(self, name: bytes) -> _Reader | None:
        reader = _reader_of(name.decode("latin-1").lower())
        if len(self) < _MAX_KNOWN:
            self[name] = reader
        return reader


_KNOWN: Final = _Known()
