"""Who is told of the requests that start inside a block: trackers, which follow the context as tags do."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final, Protocol

import msgspec

from monitor.records import Record

_NOBODY: Final[tuple["Tracker", ...]] = ()
_trackers: ContextVar[tuple["Tracker", ...]] = ContextVar("openai_monitor_trackers", default=_NOBODY)
_decode = msgspec.json.Decoder(Record).decode


class Tracker(Protocol):
    """Is told of requests, from any thread and even from inside a garbage collection; must not raise."""

    def began(self) -> bool:
        """A request starts; whether its records and its end should be told too."""

    def took(self, record: Record) -> None:
        """A record of it is written; most requests have one, a download of batch results has one for each line."""

    def ended(self) -> None:
        """No further record of it comes."""


trackers_here = _trackers.get
"""All trackers of this place, asked or not."""


def trackers_of_request() -> Sequence[Tracker]:
    """Those to tell of the request that starts here; call it once a request, when nothing can fail any more."""
    return tuple(tracker for tracker in trackers_here() if tracker.began())


def tell(trackers: Sequence[Tracker], *records: Record | bytes) -> None:
    """Tell of records that were written.

    Args:
        trackers: what `trackers_of_request` gave.
        records: each as it is, or as its facts stand on the spool, encoded without the braces around them.
    """
    for facts in records:
        record = facts if isinstance(facts, Record) else _decode(b"{%b}" % facts)
        for tracker in trackers:
            tracker.took(record)


def tell_end(trackers: Sequence[Tracker]) -> None:
    """Tell that the request is over."""
    for tracker in trackers:
        tracker.ended()


def put_tracker(tracker: Tracker) -> None:
    """Tell this tracker too, of requests that start in this context and in those copied from it."""
    _trackers.set((*_trackers.get(), tracker))


def take_tracker(tracker: Tracker) -> None:
    """Tell it no more. Without a token: a block may be left in another context than it was entered in."""
    _trackers.set(tuple(other for other in _trackers.get() if other is not tracker))
