"""Tells the events of a stream that say nothing about the request: nearly all of them, so this is done cheaply."""

from typing import Final

from monitor.capture.heard import KEPT, Heard
from monitor.capture.hiding import NO_USAGE

_DELTA: Final = b'"choices":[{"index":0,"delta":{'
_CONTENT: Final = b'"content":"'
_END_OF_CONTENT: Final = b'"}'
_PADDING: Final = b'"obfuscation":"'
"""Before what OpenAI puts last, of another length in each chunk, so that nobody can tell words by their length."""

_ENDS: Final = ((b'"', b'"}\n\n'), (b"\n", b"\n"))
"""What a chunk with padding, and one without, has just once after all that is alike: its start, and all of it."""
_LONGEST_START: Final = 1024
_NO_REASON: Final = b'"finish_reason":null'
_USAGE: Final = b'"usage"'
_ERROR: Final = b'"error"'
_NAME: Final = b"event: "
_DELTA_NAME: Final = b".delta"


class QuietEvents:
    """Knows a quiet event when it sees one. When in doubt it says no: then the event is read.

    The chunks of a chat begin alike up to what the model wrote; only what comes after has to be looked through. What
    the model wrote is inside JSON texts, where quotes are escaped: it never looks like a field. Other streams name
    their events, and those whose name ends in `.delta` tell nothing else.
    """

    __slots__ = ("_after", "_before", "_end", "_from", "_heard", "_is_hiding", "_mark", "_shown_after", "_start")

    def __init__(self, heard: Heard, *, is_hiding: bool) -> None:
        """Nothing is learned yet.

        Args:
            heard: gets what is quiet.
            is_hiding: whether `"usage":null` is to be taken out.
        """
        self._heard = heard
        self._is_hiding = is_hiding
        self._start: bytes | None = None
        # What stood before and after the text of the last chunk; most of the next ones have just another text there,
        # and other padding.
        self._before: bytes | None = None
        self._after = self._shown_after = b""
        self._mark, self._end = _ENDS[0]
        self._from = 0

    def learn(self, event: bytes) -> None:
        """Take the start of an event that was read as that of those to come."""
        if self._start is None or not event.startswith(self._start):
            place = event.find(_DELTA, 0, _LONGEST_START)
            if place >= 0:
                self._start = event[: place + len(_DELTA)]

    def shown(self, piece: bytes) -> bytes | None:
        """What the caller gets of a piece that is one whole event (ended by LF LF) and need not be read, else None."""
        if (
            self._before is not None
            and piece.startswith(self._before)
            # What has no quote in it is nothing but a text.
            and piece.startswith(self._after, end := piece.find(b'"', self._from))
            and piece.endswith(self._end)
            and piece.find(self._mark, rest := end + len(self._after)) == len(piece) - len(self._end)
        ):
            shown = piece[:end] + self._shown_after + piece[rest:] if self._is_hiding else piece
        elif self._is_quiet(piece):
            shown = piece.replace(NO_USAGE, b"]", 1) if self._is_hiding else piece
        else:
            return None
        # As `take` does; to call it would take longer than it takes.
        heard = self._heard
        if heard.size < KEPT:
            heard.pieces.append(piece)
        heard.size += len(piece)
        return shown

    def _is_quiet(self, piece: bytes) -> bool:
        start = self._start
        if start is not None and piece.startswith(start):
            rest = piece[len(start) :]
            reason = rest.find(_NO_REASON)
            is_quiet = (
                reason >= 0
                and (NO_USAGE in rest or _USAGE not in rest)
                and _ERROR not in rest
                and rest.find(b"\n\n") == len(rest) - 2
            )
            if is_quiet and rest.startswith(_CONTENT):
                self._learn_text(start, rest, reason)
            return is_quiet
        if piece.startswith(_NAME):
            end = piece.find(b"\n")
            return piece.endswith(_DELTA_NAME, 0, end) and piece.find(b"\n\n") == len(piece) - 2
        return False

    def _learn_text(self, start: bytes, rest: bytes, reason: int) -> None:
        end = rest.rfind(_END_OF_CONTENT, len(_CONTENT), reason)
        if end >= 0:
            padding = rest.find(_PADDING, reason)
            self._mark, self._end = _ENDS[padding < 0]
            self._before = start + _CONTENT
            self._after = rest[end : -len(self._end) if padding < 0 else padding + len(_PADDING)]
            self._shown_after = self._after.replace(NO_USAGE, b"]", 1)
            self._from = len(self._before)
