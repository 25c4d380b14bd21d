"""What both transports do before a request leaves and when its answer has come. Nothing here raises to the caller."""

import importlib
import logging
from types import ModuleType
from typing import Any, Final

from monitor.capture.decoding import Decode, decoder_of
from monitor.capture.exchange import Exchange
from monitor.capture.guarded import guarded
from monitor.capture.recorder import Recorder
from monitor.capture.refusals import STATUSES, Refusals
from monitor.capture.watches import BodyWatch, DoubtfulWatch, HidingWatch, LinesWatch, StreamWatch, Watch

log = logging.getLogger(__name__)

_EVENT_STREAM: Final = "text/event-stream"
_READABLE: Final = ("application/json", "text/")


class Answers:
    """The common part of the sync and the async transport of one client."""

    def __init__(self, recorder: Recorder, library: ModuleType, body_type: type[Any]) -> None:
        """`library` is httpx or httpx2, `body_type` the stream class that shows a watch every piece."""
        self._library = library
        self._body_type = body_type
        self._refusals = Refusals()
        self.guard = recorder.guard

    def asking(self, exchange: Exchange, request: Any) -> Any:
        """The request to send instead, which asks for the usage."""
        changed = self._asking(exchange, request)
        if changed is None:
            exchange.changed = None
            return request
        return changed

    def may_refuse(self, exchange: Exchange, request: Any, response: Any) -> bool:
        """Whether the answer may be a refusal of the option that only we asked for."""
        if exchange.changed is None:
            return False
        if response.status_code < 400:
            self._note_taken(request)
            return False
        return response.status_code in STATUSES

    def reconsider(self, exchange: Exchange, request: Any, response: Any, refusal: bytes) -> Any:
        """After a refusal: the response to hand out; None where the caller's own request is to be sent instead.

        That is right only where the server may complain of the option: the caller never asked for it. Where that
        cannot be found out, his request is the one that he made.
        """
        if self._is_ours(request, response, refusal) is not False:
            exchange.changed = None
            return None
        return self._library.Response(
            response.status_code,
            headers=response.headers,
            stream=self._library.ByteStream(refusal),
            request=request,
            extensions=response.extensions,
        )

    def failed(self, exchange: Exchange | None, error: BaseException) -> None:
        """The inner transport raised."""
        if exchange is not None:
            self._note_failure(exchange, error)

    def unwatched(self, exchange: Exchange, response: Any) -> Any:
        """The response after `watched` failed: what only we asked for is taken out all the same."""
        hidden = None if exchange.changed is None else self._hidden(exchange, response)
        return response if hidden is None else hidden

    def asked_plainly(self, exchange: Exchange, request: Any, response: Any) -> Any:
        """Learn from the answer to the caller's own request, sent after a refusal; returns the answer."""
        self._learn(exchange, request, response)
        return response

    @guarded
    def _learn(self, exchange: Exchange, request: Any, response: Any) -> None:
        if self._refusals.learn(request.url, exchange.model, response.status_code):
            log.info("%s refuses stream_options; such streams are recorded without asking.", request.url.host)

    @guarded
    def _asking(self, exchange: Exchange, request: Any) -> Any:
        if exchange.changed is None or self._refusals.is_known(request.url, exchange.model):
            return None
        return self._changed(request, exchange.changed)

    @guarded
    def _note_taken(self, request: Any) -> None:
        self._refusals.take(request.url)

    @guarded
    def _is_ours(self, request: Any, response: Any, refusal: bytes) -> bool:
        return self._refusals.is_ours(request.url, response, refusal)

    def _changed(self, request: Any, content: bytes) -> Any:
        headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _OWN_LENGTH]
        # Asked for plain, so that a chunk can be taken out of the answer.
        headers.append((b"accept-encoding", b"identity"))
        return self._library.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )

    @guarded
    def _note_failure(self, exchange: Exchange, error: BaseException) -> None:
        exchange.failed(error)

    @guarded
    def watched(self, exchange: Exchange, response: Any) -> Any:
        """The same response, its body watched; None when that failed."""
        content_type, encoding = exchange.took_headers(response.status_code, response.headers.raw)
        is_read = response.is_stream_consumed or response.is_closed
        decode = _decoder(encoding) if encoding and not is_read else None
        watch = self._watch(exchange, response.status_code, content_type, decode)
        if is_read or isinstance(watch, HidingWatch):
            return self._put(watch, response, is_read=is_read)
        response.stream = self._body_type(response.stream, watch)
        return response

    @guarded
    def _hidden(self, exchange: Exchange, response: Any) -> Any:
        if isinstance(response.stream, self._body_type) or response.status_code >= 400:
            return response
        encoding, is_read = response.headers.get("content-encoding"), response.is_stream_consumed or response.is_closed
        decode = _decoder(encoding) if encoding and not is_read else None
        if decode is _UNREADABLE:
            return response
        watch = HidingWatch(exchange, self.guard, decode, self._library.DecodingError)
        return self._put(watch, response, is_read=is_read)

    def _put(self, watch: Watch, response: Any, *, is_read: bool) -> Any:
        """Let the watch see the body."""
        if not is_read:
            response.stream = self._body_type(response.stream, watch)
            if isinstance(watch, HidingWatch):
                response.headers.pop("content-encoding", None)
        elif isinstance(watch, HidingWatch):
            # A test transport answers with a body that is read already; to change it takes a new answer.
            return self._unread(response, watch)
        else:
            watch.passing(response.content)
            watch.ended()
        return response

    def _watch(self, exchange: Exchange, status: int, content_type: str, decode: Decode | None) -> Watch:
        if content_type.startswith(_EVENT_STREAM):
            exchange.took_stream()
        elif exchange.route.endpoint.path == _DOWNLOAD and status < 400 and decode is not _UNREADABLE:
            return self._lines_watch(exchange, decode)
        elif not (exchange.is_streaming and status < 300):
            is_file = status < 400 and exchange.route.endpoint.is_file
            kind = BodyWatch if not content_type or content_type.startswith(_READABLE) else DoubtfulWatch
            return kind(exchange, self.guard, decode, is_kept=decode is not _UNREADABLE and not is_file)
        # The SDK reads an answer as the stream it asked for, whatever its content type; so does this.
        if exchange.changed is not None and decode is not _UNREADABLE:
            return HidingWatch(exchange, self.guard, decode, self._library.DecodingError)
        return StreamWatch(exchange, self.guard, decode)

    def _lines_watch(self, exchange: Exchange, decode: Decode | None) -> LinesWatch:
        # Loaded with the first download: few programs make one, and all others would wait for it at their start.
        made = importlib.import_module("monitor.capture.batch_lines").BatchLines
        base, append, health = exchange.base(), exchange.write_parts, self.guard.health
        lines = made(base, exchange.route.named_id, append, health, keeper=exchange.keeper)
        return LinesWatch(exchange, self.guard, decode, lines)

    def _unread(self, response: Any, watch: HidingWatch) -> Any:
        return self._library.Response(
            response.status_code,
            headers=[pair for pair in response.headers.raw if pair[0].lower() != b"content-encoding"],
            stream=self._body_type(self._library.ByteStream(response.content), watch),
            extensions=response.extensions,
        )


_DOWNLOAD: Final = "/files/{id}/content"
_OWN_LENGTH: Final = frozenset({b"content-length", b"accept-encoding", b"transfer-encoding"})


def _unreadable(piece: bytes) -> bytes:
    """Stands for an encoding that is not known here: nothing of the body can be read."""
    return piece[:0]


_UNREADABLE: Final[Decode] = _unreadable


def _decoder(encoding: str) -> Decode | None:
    try:
        return decoder_of(encoding)
    except LookupError:
        return _UNREADABLE
