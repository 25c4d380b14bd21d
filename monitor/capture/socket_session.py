"""What goes over one socket, as records: the session itself, and every piece of work in it."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from monitor.capture.bodies import text_of
from monitor.capture.guarded import guarded
from monitor.capture.handshakes import Handshake
from monitor.capture.socket_events import (
    Event,
    Message,
    is_piece,
    is_sound,
    is_sounding,
    kind_of,
    limit_facts,
    read_event,
    read_piece,
    read_work,
    seconds_in,
)
from monitor.capture.socket_turns import DECISION, REALTIME, RESPONSE, TRANSCRIPTION, Desk, Turn
from monitor.capture.socket_works import Works

_SESSIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("/live/", {"operation_name": "live", "is_billable": True}),
    ("/realtime/translations", {"operation_name": "translation", "is_billable": True}),
    ("", {"operation_name": "connect", "is_billable": False}),
)
"""What a session is, by the start of its endpoint: some are paid for by their length, others by what they hold."""

_ASKING: Final[frozenset[Message | None]] = frozenset({"response.create", b"response.create"})
_SAYING: Final[frozenset[Message | None]] = frozenset({"conversation.item.create", b"conversation.item.create"})
_PIECES: Final[frozenset[Message]] = frozenset({".delta", b".delta"})
_ENDING: Final = len(".delta")
_ATTACHED: Final = "/attach"
_MOST_HEARD: Final = 256

_Handler = Callable[["Session", Event], None]


def _in_both(handlers: Mapping[str, _Handler]) -> dict[Message | None, _Handler]:
    """Sockets give text or bytes, as they are asked."""
    found: dict[Message | None, _Handler] = {}
    for name, handler in handlers.items():
        found[name] = found[name.encode()] = handler
    return found


class Session:
    """Watches the messages of one socket. Nothing here raises to the caller."""

    def __init__(self, desk: Desk, handshake: Handshake, answer: Mapping[str, Any], *, seconds_ago: float) -> None:
        """The socket has just been opened.

        Args:
            desk: gives facts about requests, takes records.
            handshake: the request that opened it.
            answer: fields of the record that the answer to it stated.
            seconds_ago: how long the opening took.
        """
        self.guard = desk.guard
        facts = desk.facts_for(handshake)
        facts["request_model"] = handshake.model or facts.get("request_model")
        kind = next(kind for start, kind in _SESSIONS if str(facts["endpoint"]).startswith(start))
        self._own = Turn(desk, {**facts, **answer, **kind})
        self._own.start(seconds_ago=seconds_ago)
        self._works = Works(desk, handshake, {**facts, "is_streaming": True, "status": answer.get("status")})
        self._is_attached = handshake.url.path.endswith(_ATTACHED)
        self._transcriber: str | None = None
        self._heard: dict[str, float] = {}
        self._errors = 0
        self._is_done = False
        self._process = os.getpid()
        self._lock = threading.Lock()

    def came(self, message: Message) -> None:
        """A message has come, and is about to be given to the caller."""
        if self._works.awaits_chunk or not is_piece(message) or (self._works.gathers and not is_sounding(message)):
            self._look(message)

    def leaving(self, message: object) -> None:
        """A message is about to be sent."""
        if not is_sound(message):
            self._look_out(message)

    @guarded
    def closed(self) -> None:
        """The caller has closed the socket."""
        with self._lock:
            self._finish("completed")

    @guarded
    def lost(self, error: BaseException) -> None:
        """The socket is gone: the other side closed it, or it broke."""
        with self._lock:
            if type(error).__name__ == "ConnectionClosedOK":
                self._finish("completed")
            else:
                self._finish("interrupted", error)

    @guarded
    def left(self) -> None:
        """Nobody holds the socket any more."""
        with self._lock:
            self._finish("interrupted")

    @guarded
    def _look(self, message: Message) -> None:
        kind = kind_of(message)
        handle = self._HANDLERS.get(kind)
        if handle is not None:
            with self._lock:
                if not self._is_done:
                    handle(self, read_event(message))
        elif self._works.wants_pieces and kind is not None and kind[-_ENDING:] in _PIECES:
            with self._lock:
                self._works.take_piece(read_piece(message))

    @guarded
    def _look_out(self, message: object) -> None:
        if not isinstance(message, str | bytes):
            return
        kind = kind_of(message)
        heard_by = self._works.ask if kind in _ASKING else self._works.say if kind in _SAYING else None
        if heard_by is not None:
            with self._lock:
                if not self._is_done:
                    heard_by(message)

    def _describe(self, event: Event) -> None:
        told, own, shared = event.session, self._own.facts, self._works.shared
        if not isinstance(told, dict):
            return
        if model := text_of(told.get("model")):
            own["response_model"] = model
            if self._works.kind is REALTIME:
                shared["response_model"] = model
        if session_id := text_of(told.get("id")):
            own["conversation_id"] = shared["conversation_id"] = session_id
        transcription = _inside(told, "audio", "input", "transcription") or told.get("input_audio_transcription")
        self._transcriber = text_of(_inside(transcription, "model")) or self._transcriber

    def _create(self, event: Event) -> None:
        self._works.create(event)

    def _end(self, event: Event) -> None:
        self._works.end(event)

    def _hear(self, event: Event) -> None:
        if (item := text_of(event.item_id)) and len(self._heard) < _MOST_HEARD:
            self._heard[item] = time.perf_counter()

    def _transcribe(self, event: Event) -> None:
        item = text_of(event.item_id)
        turn = self._works.new(TRANSCRIPTION, event)
        heard = self._heard.pop(item or "", None)
        if heard is not None:
            turn.date(time.perf_counter() - heard)
        turn.facts |= {"request_model": self._transcriber, "response_id": item, "is_streaming": False}
        turn.took_usage(event.usage)
        if event.error is not None:
            turn.took_error(event.error)
        if event.transcript is not None:
            turn.answer = msgspec.json.encode({"transcript": event.transcript})
        self._works.write(turn)

    def _limit(self, event: Event) -> None:
        self._works.limit(limit_facts(event.rate_limits))

    def _fail(self, event: Event) -> None:
        error = event.error if isinstance(event.error, dict) else {"type": "error", "code": event.code}
        names = (error.get("event_id"), error.get("client_event_id"), event.client_event_id)
        turn = self._works.blamed(event, next(filter(None, map(text_of, names)), None))
        if turn is not None:
            turn.took_error(error, event.status)
            self._works.write(turn)
            return
        self._errors += 1
        self._own.facts.setdefault("error_type", text_of(error.get("type")))
        self._own.facts.setdefault("error_code", text_of(error.get("code")))

    def _count(self, event: Event) -> None:
        seconds = seconds_in(event.usage)
        if seconds is not None:
            self._own.facts["audio_seconds"] = seconds
            # A session that is only listened in on was begun, and is paid for, elsewhere.
            self._own.facts["usage_source"] = "late" if self._is_attached else "response"

    def _close(self, event: Event) -> None:
        self._describe(event)
        self._count(event)
        if reason := text_of(event.reason):
            self._own.facts["finish_reasons"] = [reason]
        self._finish("completed")

    def _delegate(self, event: Event) -> None:
        inner = read_event(event.event)
        kind = inner.type if isinstance(inner.type, str) else ""
        if kind == "response.created":
            self._works.create(inner, RESPONSE)
        elif kind in _ENDS:
            self._works.end(inner, RESPONSE)
        elif self._works.wants_pieces and kind.endswith(".delta"):
            self._works.take_piece(read_piece(event.event))

    def _decide(self, event: Event) -> None:
        decision = read_event(event.event).decision
        self._works.close(self._works.new(DECISION, event), read_work(decision), decision)

    def _finish(self, outcome: str, error: BaseException | None = None) -> None:
        if self._is_done:
            return
        self._is_done = True
        if self._process != os.getpid():
            # A child after a fork holds the socket too, but it is its parent's.
            return
        self._works.break_off(error)
        if error is not None:
            self._own.broke(error)
        if self._errors:
            tags = self._own.facts.get("tags") or {}
            self._own.facts["tags"] = {"socket_errors": str(self._errors), **tags}
        if "/live/" in str(self._own.facts["endpoint"]):
            self._own.facts["response_id"] = self._own.facts.get("conversation_id")
        self._works.write(self._own, outcome)

    _HANDLERS: Final = _in_both(
        {
            "session.created": _describe,
            "session.updated": _describe,
            "session.started": _describe,
            "transcription_session.created": _describe,
            "transcription_session.updated": _describe,
            "session.usage.updated": _count,
            "session.closed": _close,
            "response.created": _create,
            "response.completed": _end,
            "response.incomplete": _end,
            "response.failed": _end,
            "response.done": _end,
            "input_audio_buffer.committed": _hear,
            "conversation.item.input_audio_transcription.completed": _transcribe,
            "conversation.item.input_audio_transcription.failed": _transcribe,
            "rate_limits.updated": _limit,
            "error": _fail,
            "response.event": _delegate,
            "decision.event": _decide,
        }
    )


_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


def _inside(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
