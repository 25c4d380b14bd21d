"""Which call a request belongs to: the SDK's retries are further requests of the same call."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

Place = tuple[str, bytes, bytes | None]

COUNT: Final = b"x-stainless-retry-count"
FIRST: Final = b"0"
_LONGEST: Final = 3

# Id, place and attempt of the request that failed last in this context; its retry comes right after it.
_last_failure: ContextVar[tuple[str, Place, int] | None] = ContextVar("openai_monitor_last_failure", default=None)


def call_of(place: Place, headers: Mapping[bytes, bytes], record_id: str) -> tuple[str, int]:
    """The id of the call that a request belongs to, and its number in it.

    The SDK sends its retries from the same thread or task, one after the other, with a rising count.
    """
    count = headers.get(COUNT, FIRST)
    if count == FIRST or not count.isdigit() or len(count) > _LONGEST:
        return record_id, 0
    attempt = int(count)
    last = _last_failure.get()
    if last is not None and last[1] == place and last[2] < attempt:
        return last[0], attempt
    return record_id, attempt


def note_failure(call_id: str, place: Place, attempt: int) -> None:
    """A request has failed: what this context sends next to the same place may be its retry."""
    _last_failure.set((call_id, place, attempt))
