"""One piece of work that goes over a socket, from its start to its record: a response, a transcription, the session."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from monitor.capture.bodies import incomplete_reasons, text_of
from monitor.capture.breaks import fault_of_exception
from monitor.capture.exchange import Keeper
from monitor.capture.faults import error_fields
from monitor.capture.guarded import Guard
from monitor.capture.ids import new_id
from monitor.capture.recorder import RequestLike
from monitor.capture.socket_events import Work
from monitor.capture.spoken import Spoken
from monitor.capture.trackers import Tracker, tell, tell_end, trackers_of_request
from monitor.capture.usages import usage_fields
from monitor.records import Begin, Record

REALTIME: Final = {"operation_name": "realtime", "endpoint": "/realtime", "is_billable": True}
RESPONSE: Final = {"operation_name": "chat", "endpoint": "/responses", "is_billable": True}
TRANSCRIPTION: Final = {"operation_name": "transcription", "endpoint": "/realtime", "is_billable": True}
DECISION: Final = {"operation_name": "decision", "endpoint": "/decisions", "is_billable": True}

_NAMES: Final = {
    "id": "response_id",
    "model": "response_model",
    "service_tier": "service_tier",
    "status": "answer_status",
}


class Desk(Protocol):
    """What the watch over sockets needs of a recorder."""

    guard: Guard

    @property
    def keeper(self) -> Keeper | None:
        """Takes the contents, None where they are not to be kept."""

    def facts_for(self, request: RequestLike) -> dict[str, Any]:
        """Fields of a record that a request states, and who makes it: all that is known before the answer."""

    def begin(self, facts: Begin) -> object:
        """Put a begin line on the spool."""

    def end(self, facts: Record) -> object:
        """Put a finished record on the spool."""


class Turn:
    """Gathers the facts of one piece of work and writes its record exactly once.

    Attributes:
        facts: fields of the record so far.
        event_id: the caller's own name for the event that asked for it, None where it has none.
        stream_id: the lane it runs in, None for the usual one.
        has_chunk: whether its first piece has come.
        asked: what the caller said for it, None where that is not known or not to be kept.
        answer: what came of it, as JSON; None as well.
        spoken: holds what has come of it so far, None where that is not to be kept.
    """

    def __init__(
        self,
        desk: Desk,
        facts: Mapping[str, Any],
        *,
        event_id: object = None,
        stream_id: object = None,
        keeper: Keeper | None = None,
    ) -> None:
        """Nothing is written yet; `start` begins it, `finish` ends it, started or not. `keeper` takes its contents."""
        self._desk = desk
        self._keeper = keeper
        self._began: float | None = None
        self._has_line = False
        self._is_done = False
        self._trackers: Sequence[Tracker] = ()
        self.facts: dict[str, Any] = dict(facts)
        self.event_id = text_of(event_id)
        self.stream_id = text_of(stream_id)
        self.has_chunk = False
        self.asked: bytes | None = None
        self.answer: bytes | None = None
        self.spoken: Spoken | None = None
        self._identify()

    def start(self, *, seconds_ago: float = 0.0) -> None:
        """Begin so many seconds ago, and put the begin line on the spool; again does nothing."""
        if self._has_line:
            return
        self._has_line = True
        self.date(seconds_ago)
        facts = {name: self.facts[name] for name in Begin.__struct_fields__ if name in self.facts}
        self._desk.begin(Begin(**facts))
        self._trackers = trackers_of_request()

    def date(self, seconds_ago: float) -> None:
        """Take its times from so many seconds ago; its id too, which sorts by time."""
        self._began = time.perf_counter() - seconds_ago
        self._identify(seconds_ago)

    def took_chunk(self) -> None:
        """Its first piece has come."""
        self.has_chunk = True
        if self._began is not None:
            self.facts["time_to_first_chunk"] = self._elapsed(self._began)

    def took_work(self, work: Work) -> None:
        """Note what a response or decision states."""
        for name, field in _NAMES.items():
            if text := text_of(getattr(work, name)):
                self.facts[field] = text
        inner = work.conversation.get("id") if isinstance(work.conversation, dict) else None
        self.fill({"conversation_id": text_of(inner) or text_of(work.conversation_id)})
        self.took_usage(work.usage)
        details = work.status_details if isinstance(work.status_details, dict) else work.incomplete_details
        if reasons := incomplete_reasons(details):
            self.facts["finish_reasons"] = reasons
        if work.status == "failed":
            inner = details.get("error") if isinstance(details, dict) else None
            self.took_error(work.error if work.error is not None else inner)

    def fill(self, facts: Mapping[str, Any]) -> None:
        """Add fields that are not known yet."""
        self.facts |= {name: value for name, value in facts.items() if self.facts.get(name) is None}

    def took_usage(self, usage: Any) -> None:
        """Note a usage object of any shape."""
        if fields := usage_fields(usage):
            self.facts |= fields
            self.facts["usage_source"] = "response"

    def took_error(self, error: Any, status: Any = None) -> None:
        """Note an error object of the API, and the HTTP status it names."""
        if isinstance(status, int) and not isinstance(status, bool) and 400 <= status < 600:
            self.facts["status"] = status
        tier = self.facts.get("request_service_tier")
        self.facts |= error_fields(error, self.facts.get("status"), tier=tier)
        self.facts["outcome"] = "failed"

    def broke(self, error: BaseException) -> None:
        """Note that the connection broke, or was never made."""
        fault = fault_of_exception(error)
        self.facts["error_class"], self.facts["error_reason"] = fault
        self.facts["error_type"] = type(error).__name__
        code = getattr(getattr(error, "rcvd", None), "code", None)
        if isinstance(code, int):
            self.facts["error_code"] = str(code)

    def finish(self, outcome: str) -> None:
        """Write the record; only the first call does anything. An error that was noted makes it a failed one."""
        if self._is_done:
            return
        self._is_done = True
        if self._began is not None:
            self.facts["duration"] = self._elapsed(self._began)
        record = Record(**{"outcome": outcome, **self.facts})
        self._desk.end(record)
        trackers = self._trackers if self._has_line else trackers_of_request()
        if trackers:
            tell(trackers, record)
        self._keep(record, is_torn=outcome == "interrupted")
        if trackers:
            tell_end(trackers)

    def _keep(self, record: Record, *, is_torn: bool) -> None:
        keeper, answer = self._keeper, self.answer
        if answer is None and self.spoken is not None:
            answer = self.spoken.take()
            is_torn = is_torn or answer is not None
        if keeper is not None and (self.asked or answer):
            keeper.keep(record.record_id, record.started_at, self.asked, answer, is_answer_torn=is_torn)

    def _identify(self, seconds_ago: float = 0.0) -> None:
        now = time.time() - seconds_ago
        record_id = new_id(int(now * 1_000_000_000))
        self.facts["record_id"] = self.facts["call_id"] = record_id
        self.facts["attempt"] = 0
        self.facts["started_at"] = datetime.fromtimestamp(now, UTC)

    def _elapsed(self, began: float) -> float:
        return round(time.perf_counter() - began, 6)
