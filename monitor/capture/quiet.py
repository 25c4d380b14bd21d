"""Tells the events of a stream that say nothing about the request: nearly all of them, so this is done cheaply."""

from typing import Final

_DELTA: Final = b'"choices":[{"index":0,"delta":{'
_LONGEST_START: Final = 1024
_NO_REASON: Final = b'"finish_reason":null'
_USAGE: Final = b'"usage"'
_NO_USAGE: Final = b',"usage":null'
_ERROR: Final = b'"error"'
_NAME: Final = b"event: "
_DELTA_NAME: Final = b".delta"


class QuietEvents:
    """Knows a quiet event when it sees one. When in doubt it says no: then the event is read.

    The chunks of a chat begin alike up to what the model wrote; only what comes after has to be looked through. What
    the model wrote is inside JSON texts, where quotes are escaped: it never looks like a field. Other streams name
    their events, and those whose name ends in `.delta` tell nothing else.
    """

    __slots__ = ("_start",)

    def __init__(self) -> None:
        """Nothing is learned yet."""
        self._start: bytes | None = None

    def learn(self, event: bytes) -> None:
        """Take the start of an event that was read as that of those to come."""
        if self._start is None or not event.startswith(self._start):
            place = event.find(_DELTA, 0, _LONGEST_START)
            if place >= 0:
                self._start = event[: place + len(_DELTA)]

    def is_quiet(self, piece: bytes) -> bool:
        """Whether a piece is one whole event (ended by LF LF), and one that need not be read."""
        start = self._start
        if start is not None and piece.startswith(start):
            rest = piece[len(start) :]
            return (
                _NO_REASON in rest
                and (_NO_USAGE in rest or _USAGE not in rest)
                and _ERROR not in rest
                and rest.find(b"\n\n") == len(rest) - 2
            )
        if piece.startswith(_NAME):
            end = piece.find(b"\n")
            return piece.endswith(_DELTA_NAME, 0, end) and piece.find(b"\n\n") == len(piece) - 2
        return False


def shown_of_quiet(event: bytes) -> bytes:
    """A quiet event without its `"usage":null`."""
    place = event.rfind(_NO_USAGE)
    return event if place < 0 else event[:place] + event[place + len(_NO_USAGE) :]
