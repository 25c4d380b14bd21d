"""Takes out of a stream again what is only there because we asked for the usage."""

import re
from typing import Final

import msgspec

from monitor.capture.events import EventReader
from monitor.capture.sse import EventSplitter, data_of

_USAGE_NULL: Final = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,')
_HAS_USAGE: Final = re.compile(rb'"usage"\s*:\s*\{')
_NO_CHOICES: Final = re.compile(rb'"choices"\s*:\s*\[\s*\]')


class _Chunk(msgspec.Struct):
    choices: list[msgspec.Raw]
    usage: dict[str, msgspec.Raw]


_decode = msgspec.json.Decoder(_Chunk).decode


class UsageHider:
    """Passes a stream on without the usage chunk and without the `"usage":null` of the others.

    An event that is not yet whole waits for its end: no client can do anything with half an event. The quotes inside
    a JSON text are escaped, so the pattern never meets what the model wrote.
    """

    def __init__(self, reader: EventReader) -> None:
        """The reader sees every event as the server sent it."""
        self._reader = reader
        self._splitter = EventSplitter()

    def feed(self, piece: bytes) -> bytes:
        """What of this piece, and of what waited, the caller gets; may be empty."""
        passed = []
        for event in self._splitter.feed(piece):
            self._reader.read(event)
            if not _is_usage_chunk(event):
                passed.append(_USAGE_NULL.sub(b"", event, count=1))
        return b"".join(passed)

    def rest(self) -> bytes:
        """What still waits when the body is over."""
        rest, self._splitter.rest = self._splitter.rest, b""
        if rest:
            self._reader.read(rest)
        return b"" if _is_usage_chunk(rest) else _USAGE_NULL.sub(b"", rest, count=1)


def _is_usage_chunk(event: bytes) -> bool:
    if not _HAS_USAGE.search(event) or not _NO_CHOICES.search(event):
        return False
    try:
        chunk = _decode(data_of(event))
    except msgspec.MsgspecError:
        return False
    return not chunk.choices
