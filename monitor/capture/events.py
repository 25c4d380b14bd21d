"""Reads the events of a streamed answer as they pass: most are only glanced at."""

import re
from typing import Final

from monitor.capture.bodies import AnswerBody, read_answer
from monitor.capture.exchange import Exchange
from monitor.capture.sse import EventSplitter, data_of

_TELLING: Final = re.compile(
    rb'"(?:finish_reason"\s*:\s*"|usage"\s*:\s*\{|error"\s*:\s*[{"])'
    rb'|"type"\s*:\s*"(?:error|response\.(?:created|completed|incomplete|failed))"'
)
_COMPLETED: Final = frozenset(
    """
    response.completed response.incomplete response.failed image_generation.completed image_edit.completed
    transcript.text.done speech.audio.done
    """.split()
)
_DONE: Final = b"[DONE]"
_IS_NULL: Final = b"null"


class EventReader:
    """Tells an exchange what a stream says; finishes it when the stream's own end marker has come."""

    def __init__(self, exchange: Exchange) -> None:
        """Begin at the start of the stream."""
        self._exchange = exchange
        self._splitter = EventSplitter()
        self._has_begun = False
        self._has_finish = False
        self.has_ended = False

    def feed(self, piece: bytes) -> None:
        """Read the events that this piece completes."""
        for event in self._splitter.feed(piece):
            self.read(event)

    def end(self) -> None:
        """The body is over: a last event may lack its empty line."""
        if self._splitter.rest:
            self.read(self._splitter.rest)
            self._splitter.rest = b""
        if self._has_finish:
            # Some servers end without a marker; a finish reason says that the answer is whole.
            self.has_ended = True

    def read(self, event: bytes) -> None:
        """Read one event."""
        if self._has_begun and not _TELLING.search(event):
            if _DONE not in event[:16]:
                return
            self._complete()
            return
        data = data_of(event)
        if data == _DONE:
            self._complete()
        elif data:
            if not self._has_begun:
                self._has_begun = True
                self._exchange.took_first_chunk()
            self._take(data)

    def _take(self, data: bytes) -> None:
        body = read_answer(data)
        if body is None:
            return
        exchange = self._exchange
        inner = read_answer(body.response) if bytes(body.response) != _IS_NULL else None
        kind = body.type if isinstance(body.type, str) else None
        if kind == "error":
            exchange.took_error(body.error if body.error is not None else {"type": "error", "code": body.code})
        elif inner is not None:
            exchange.took_answer(inner)
        else:
            exchange.took_answer(_as_stream_part(body))
            if body.error is not None and kind is None:
                exchange.took_error(body.error)
        self._has_finish = self._has_finish or b'"finish_reason"' in data
        if kind in _COMPLETED:
            self._complete()

    def _complete(self) -> None:
        self.has_ended = True
        self._exchange.finish("completed")


def _as_stream_part(body: AnswerBody) -> AnswerBody:
    """Typed events of other streams have ids of items, not of the answer."""
    if isinstance(body.type, str):
        body.id = None
    return body
