"""Reads the events of a streamed answer as they pass: most are only glanced at."""

import re
from collections.abc import Mapping
from typing import Any, Final

from monitor.capture.bodies import AnswerBody, error_of, read_answer, text_of
from monitor.capture.exchange import Exchange
from monitor.capture.quiet import QuietEvents
from monitor.capture.sse import EventSplitter, data_of

_TELLING: Final = re.compile(
    rb'"(?:finish_reason"\s*:\s*"|usage"\s*:\s*\{|error"\s*:\s*[{"]'
    rb'|type"\s*:\s*"(?:error|response\.(?:created|completed|incomplete|failed))")'
)
_COMPLETED: Final = frozenset(
    """
    response.completed response.incomplete response.failed image_generation.completed image_edit.completed
    transcript.text.done speech.audio.done
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
_DONE: Final = b"[DONE]"
_LONGEST_DONE: Final = 64
_IS_NULL: Final = b"null"
_READ_AT_FIRST: Final = 8
"""So many events are read whole in search of the model; Azure's first chunk and a thread's first event name none."""


class EventReader:
    """Tells an exchange what a stream says; finishes it when the stream's own end marker has come."""

    def __init__(self, exchange: Exchange, quiet: QuietEvents) -> None:
        """Begin at the start of the stream; `quiet` learns from what is read."""
        self._exchange = exchange
        self._splitter = EventSplitter()
        self._quiet = quiet
        self._has_begun = False
        self._wanted = _READ_AT_FIRST
        self.has_ended = False

    @property
    def short_cut(self) -> QuietEvents | None:
        """Knows the pieces that need not be read; None while an event is half there or the model is not known."""
        return None if self._wanted or not self._splitter.is_empty else self._quiet

    def feed(self, piece: bytes) -> None:
        """Read the events that this piece completes."""
        for event in self._splitter.feed(piece):
            self.read(event)

    def split(self, piece: bytes) -> list[bytes]:
        """The events that this piece completes, for somebody who reads them later."""
        return self._splitter.feed(piece)

    def take_rest(self) -> bytes:
        """What has come of an event that is not whole; it is forgotten here."""
        return self._splitter.take_rest()

    def end(self) -> None:
        """The body is over: a last event may lack its empty line."""
        if rest := self.take_rest():
            self.read_last(rest)
        if self._exchange.has_finish_reason:
            # Some servers end without a marker; a finish reason says that the answer is whole.
            self.has_ended = True

    def read_last(self, rest: bytes) -> None:
        """Read an event that lacks its end, or the whole of an answer that is no stream though one was asked for."""
        if not self._has_begun and rest.lstrip()[:1] == b"{":
            body = read_answer(rest)
            if body is not None:
                self._exchange.took_answer(body, rest)
                self.has_ended = True
        else:
            self.read(rest)

    def read(self, event: bytes) -> None:
        """Read one event."""
        self._quiet.learn(event)
        if self._wanted or _TELLING.search(event):
            data = data_of(event)
            if data == _DONE:
                self._complete()
            elif data:
                self._take(data)
        elif len(event) < _LONGEST_DONE and data_of(event) == _DONE:
            self._complete()

    def _take(self, data: bytes) -> None:
        exchange = self._exchange
        if not self._has_begun:
            self._has_begun = True
            exchange.took_first_chunk()
        self._wanted -= self._wanted > 0
        body = read_answer(data)
        if body is None:
            exchange.took_odd_event(data)
            return
        if body.x_groq is not None and body.usage is None:
            body.usage = _usage_of_groq(body.x_groq)
        inner = read_answer(body.response) if bytes(body.response) != _IS_NULL else None
        kind = body.type if isinstance(body.type, str) else None
        if kind == "error":
            exchange.took_error(error_of(body))
        elif inner is not None:
            exchange.took_answer(inner, body.response)
        else:
            exchange.took_answer(_as_stream_part(body), data)
            if body.error is not None and kind is None:
                exchange.took_error(body.error)
        if text_of((inner or body).model):
            self._wanted = 0
        if kind in _COMPLETED:
            self._complete()

    def _complete(self) -> None:
        self.has_ended = True
        self._exchange.finish("completed")


def _usage_of_groq(told: Any) -> Any:
    """Groq tells the usage of a stream beside its last chunk, though nobody asked for it."""
    return told.get("usage") if isinstance(told, Mapping) else None


def _as_stream_part(body: AnswerBody) -> AnswerBody:
    """Typed events of other streams have ids of items, not of the answer."""
    if isinstance(body.type, str):
        body.id = None
    return body
