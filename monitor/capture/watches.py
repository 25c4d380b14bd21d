"""What looks at an answer's body while it passes. One method a moment, and none of them may raise to the caller."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from monitor.capture.decoding import Decode, EncodingError
from monitor.capture.events import EventReader
from monitor.capture.exchange import Exchange
from monitor.capture.guarded import Guard, guarded
from monitor.capture.heard import Heard
from monitor.capture.hiding import shown_of
from monitor.capture.quiet import QuietEvents

if TYPE_CHECKING:
    from monitor.capture.batch_lines import BatchLines
    from monitor.capture.large_bodies import Tail

_LARGEST_BODY: Final = 64 * 2**20
_OPENING: Final = (b"", b"{")


class Watch(Protocol):
    """Sees every piece of a body."""

    exchange: Exchange
    """The request whose answer it is."""

    def passing(self, piece: bytes) -> bytes:
        """A piece goes by; returns what the caller gets of it, which may be nothing."""

    def ended(self) -> bytes | None:
        """The body is over; returns what was held back."""

    def broke(self, error: BaseException) -> None:
        """The body broke off with an error."""

    def left(self) -> None:
        """The caller closed the body or lost interest."""


class _AnyWatch:
    """What they have in common: how a body ends that was not read to its end."""

    __slots__ = ("_decode", "exchange", "guard")

    def __init__(self, exchange: Exchange, guard: Guard, decode: Decode | None) -> None:
        """`decode` undoes the content encoding, None where there is none."""
        self.exchange = exchange
        self.guard = guard
        self._decode = decode

    @guarded
    def broke(self, error: BaseException) -> None:
        """Finish as broken."""
        self.exchange.failed(error)

    @guarded
    def left(self) -> None:
        """Finish with what is known so far, as interrupted if the end had not come before."""
        self.exchange.finish("interrupted")


class BodyWatch(_AnyWatch):
    """Keeps the pieces of an answer that is no stream, and reads them at its end.

    The pieces are the ones that the client keeps too, so this costs no memory. An answer that is not JSON is not
    kept, and of a very large one the end.
    """

    __slots__ = ("_is_kept", "_pieces", "_size", "_tail")

    def __init__(self, exchange: Exchange, guard: Guard, decode: Decode | None, *, is_kept: bool) -> None:
        """`decode` undoes the content encoding, None where there is none."""
        # Written out, for one call less: there is one of these for each request.
        self.exchange, self.guard, self._decode = exchange, guard, decode
        self._is_kept = is_kept
        self._pieces: list[bytes] = []
        self._size = 0
        self._tail: Tail | None = None

    def passing(self, piece: bytes) -> bytes:
        """Keep it."""
        if self._is_kept:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > _LARGEST_BODY:
                self._is_kept = False
                self._keep_end()
        elif self._tail is not None:
            self._take_end(self._tail, piece)
        return piece

    @guarded
    def _take_end(self, tail: "Tail", piece: bytes) -> None:
        tail.take(piece)

    @guarded
    def _keep_end(self) -> None:
        pieces, self._pieces = self._pieces, []
        if self._decode is None:
            # Loaded with the first one: few programs ever get one.
            self._tail = importlib.import_module("monitor.capture.large_bodies").Tail(pieces)

    @guarded
    def ended(self) -> bytes | None:
        """Read it all and finish."""
        if not self.exchange.is_done:
            content = b"".join(self._pieces)
            try:
                content = self._decode(content) if content and self._decode else content
            except EncodingError:
                self.exchange.garbled()
            else:
                end = b"" if self._tail is None else self._tail.members()
                self.exchange.took_body(content or end, is_whole=self._is_kept)
        return None


class DoubtfulWatch(BodyWatch):
    """The same where the content type tells of no JSON. The SDK tries to read it as JSON all the same, so does this.

    Sound and pictures are not kept: the first letter tells.
    """

    __slots__ = ()

    def passing(self, piece: bytes) -> bytes:
        """Keep it, if it is to be kept at all."""
        # What is compressed is kept, and read or not at its end.
        if self._is_kept and not self._pieces and self._decode is None:
            self._is_kept = piece.lstrip()[:1] in _OPENING
        return super().passing(piece)


class LinesWatch(BodyWatch):
    """Reads the lines of a batch's output as it is downloaded; other files pass after a look at their beginning."""

    __slots__ = ("_lines",)

    def __init__(self, exchange: Exchange, guard: Guard, decode: Decode | None, lines: "BatchLines") -> None:
        """`decode` undoes the content encoding, None where there is none."""
        super().__init__(exchange, guard, decode, is_kept=False)
        self._lines = lines

    def passing(self, piece: bytes) -> bytes:
        """Read what it completes."""
        if not self._lines.is_over:
            self._feed(piece)
        return piece

    @guarded
    def ended(self) -> bytes | None:
        """Read the last line and finish."""
        try:
            self._lines.end()
        finally:
            self.exchange.finish("completed")
        return None

    @guarded
    def broke(self, error: BaseException) -> None:
        """Keep the lines that came and finish as broken."""
        try:
            self._lines.end(is_whole=False)
        finally:
            self.exchange.failed(error)

    @guarded
    def left(self) -> None:
        """Keep the lines that came and finish."""
        try:
            self._lines.end(is_whole=False)
        finally:
            self.exchange.finish("interrupted")

    @guarded
    def _feed(self, piece: bytes) -> None:
        try:
            self._lines.feed(self._decode(piece) if self._decode else piece)
        except EncodingError:
            self._lines.end(is_whole=False)
            self.exchange.garbled()


class StreamWatch(_AnyWatch):
    """Reads the events of a stream as they pass."""

    _is_hiding = False

    def __init__(self, exchange: Exchange, guard: Guard, decode: Decode | None) -> None:
        """`decode` undoes the content encoding, None where there is none."""
        super().__init__(exchange, guard, decode)
        self._heard = Heard()
        exchange.hears(self._heard)
        self._reader = EventReader(exchange, QuietEvents(self._heard, is_hiding=self._is_hiding))
        # Most pieces are found here to tell nothing, and cost no more than that.
        self._quiet: QuietEvents | None = None

    def passing(self, piece: bytes) -> bytes:
        """Read what it completes."""
        if self._quiet is None or self._quiet.shown(piece) is None:
            self._quiet = None
            self._read(piece)
        return piece

    @guarded
    def _read(self, piece: bytes) -> None:
        if self.exchange.is_done:
            return
        try:
            plain = self._decode(piece) if self._decode else piece
        except EncodingError:
            self.exchange.garbled()
            return
        self._heard.take(plain)
        self._reader.feed(plain)
        self._open()

    def _open(self) -> None:
        """Let pieces take the short cut from here on, where that is possible."""
        if self._decode is None:
            self._quiet = self._reader.short_cut

    @guarded
    def ended(self) -> bytes | None:
        """Finish: whole if the stream said so itself."""
        self._reader.end()
        self.exchange.finish("completed" if self._reader.has_ended else "interrupted")
        return None


class HidingWatch(StreamWatch):
    """Reads the events of a stream and takes out what we asked for ourselves.

    An event that is not yet whole waits for its end: no client can do anything with half an event.
    """

    _is_hiding = True

    def __init__(
        self, exchange: Exchange, guard: Guard, decode: Decode | None, decoding_error: Callable[[str], Exception]
    ) -> None:
        """The caller gets the decoded stream; the caller of this must drop its `content-encoding`.

        `decoding_error` makes what the client itself raises when the content encoding is broken.
        """
        super().__init__(exchange, guard, decode)
        self._decoding_error = decoding_error

    def passing(self, piece: bytes) -> bytes:
        """Pass on what the caller would have got; raises what the client would have raised."""
        if self._quiet is not None and (shown := self._quiet.shown(piece)) is not None:
            return shown
        self._quiet = None
        try:
            plain = self._decode(piece) if self._decode else piece
        except EncodingError as fault:
            self._give_up()
            raise self._decoding_error(str(fault)) from fault
        # Bytes only, nothing that could fail: what the caller gets does not hang on the reading.
        events = self._reader.split(plain)
        self._look_at(plain, events)
        return b"".join(map(shown_of, events))

    def ended(self) -> bytes | None:
        """Finish, and pass on an event that lacks its end."""
        rest = self._reader.take_rest()
        self._look_last(rest)
        super().ended()
        return shown_of(rest)

    @guarded
    def _give_up(self) -> None:
        self.exchange.garbled()

    @guarded
    def _look_at(self, plain: bytes, events: list[bytes]) -> None:
        self._heard.take(plain)
        for event in events:
            self._reader.read(event)
        self._open()

    @guarded
    def _look_last(self, rest: bytes) -> None:
        if rest:
            self._reader.read_last(rest)
