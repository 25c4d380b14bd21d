"""One request from its start to its record."""

import importlib
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from monitor.capture.bodies import (
    AnswerBody,
    RequestBody,
    error_of,
    finish_reasons,
    incomplete_reasons,
    read_answer,
)
from monitor.capture.breaks import BY_NAME, fault_of_exception
from monitor.capture.calls import note_failure
from monitor.capture.fault_codes import Fault
from monitor.capture.faults import error_fields, limit_of_headers, refuses
from monitor.capture.guarded import Guard, guarded
from monitor.capture.headers import read_headers
from monitor.capture.heard import Heard
from monitor.capture.parts import records_of
from monitor.capture.routes import Route
from monitor.capture.trackers import tell, tell_end, trackers_here, trackers_of_request
from monitor.capture.usage_option import with_usage_option
from monitor.capture.usages import SEARCHING, searches_of, usage_fields
from monitor.records import UNREADABLE
from monitor.spool.format import END, encode_facts
from monitor.spool.writer import SpoolWriter

_BAD_STATES: Final = ("failed", "incomplete")


class Keeper(Protocol):
    """Keeps prompts and answers, for clients that were told to."""

    @property
    def limit(self) -> int:
        """Bytes that are kept of each body."""

    def keep(
        self,
        record_id: str,
        started_at: datetime,
        request: bytes | None,
        answer: bytes | None,
        *,
        is_answer_torn: bool = False,
    ) -> None:
        """Write what was asked and answered."""

    def form_of(self, request: Any) -> bytes | None:
        """What is to be kept of a form; None for other requests."""

    def of(self, headers: Iterable[tuple[bytes, bytes]], path: bytes) -> "Keeper | None":
        """The keeper for a request, which knows the keys in its headers and its query; None for a fault."""


class Exchange:
    """Gathers the facts of one request and writes its record exactly once, at whichever end comes first.

    Attributes:
        route: what it shares with others to the same address.
        is_streaming: whether the caller asked for a stream.
        content: the JSON body as the caller gave it, None where there is none.
        form: what is to be kept of a form, None where that is nothing.
        heard: the stream that answers, None for other answers.
        changed: the body to send instead, None where nothing is to be changed.
        is_done: whether the record is written.
        keeper: takes the contents, None where they are not to be kept.
    """

    __slots__ = (
        "_answer",
        "_began",
        "_content_type",
        "_error",
        "_estimates",
        "_facts",
        "_has_broken",
        "_limit",
        "_parts",
        "_reasons",
        "_request",
        "_start",
        "_status",
        "_trackers",
        "_units",
        "_writer",
        "changed",
        "content",
        "form",
        "guard",
        "heard",
        "is_done",
        "is_streaming",
        "keeper",
        "route",
    )

    def __init__(  # noqa: PLR0917 - for every request; to give them by name takes twice as long
        self,
        writer: SpoolWriter,
        route: Route,
        request: Mapping[str, Any],
        facts: dict[str, Any],
        start: bytes,
        body: RequestBody,
        content: bytes | None,
        guard: Guard,
        keeper: Keeper | None = None,
    ) -> None:
        """Begin now.

        Args:
            writer: takes the record.
            route: of the request.
            request: fields of its begin line.
            facts: others that were known before it left; is taken over.
            start: the inside of the begin line.
            body: what was read of the request.
            content: its JSON body, None for others.
            guard: takes note of faults that must not cost the record.
            keeper: takes the contents, None where they are not to be kept.
        """
        self.guard, self._writer, self.keeper = guard, writer, keeper
        self._answer: bytes | None = None
        self._request, self._start = request, start
        self._facts = facts
        self._status = 0
        self._estimates: Any = None
        self._error: Mapping[str, Any] | None = None
        self._has_broken = self.is_done = False
        self._limit: str | None = None
        self._parts: list[dict[str, object]] = []
        self._reasons: dict[int, str] | None = None
        self.route, self.content = route, content
        self.form: bytes | None = None
        self.changed: bytes | None = None
        self.heard: Heard | None = None
        self.is_streaming = body.stream is not None and body.stream in (True, "true")
        if self.is_streaming:
            self._facts["is_streaming"] = True
            if content and route.may_change and route.endpoint.has_usage_option:
                self.changed = with_usage_option(content, body)
        self._units: Any = None if route.endpoint.units is None else self._asked_units(body)
        self._trackers = trackers_of_request() if trackers_here() else ()
        self._began = time.perf_counter_ns()

    def _asked_units(self, body: RequestBody) -> Any:
        """Note what the request states that the answer may know better; returns what reads the answer."""
        # Loaded with the first request that needs it: many programs ask for nothing but chats and embeddings.
        units = importlib.import_module("monitor.capture.units")
        self._facts |= units.request_units(self.route.endpoint, body, self.content)
        return units

    @property
    def model(self) -> str | None:
        """The model that was asked for; None where the request names none."""
        model: str | None = self._request.get("request_model")
        return model

    @property
    def has_finish_reason(self) -> bool:
        """Whether the answer has said why the model stopped."""
        return bool(self._reasons)

    def took_headers(self, status: int, raw: Iterable[tuple[bytes, bytes]]) -> tuple[str, str | None]:
        """Note status and headers of the answer; returns its content type ("" for none) and content encoding."""
        self._status = self._facts["status"] = status
        told = read_headers(raw, self._facts)
        self._content_type = told[0]
        if status >= 400:
            self._note_failure()
            if status == 429:
                self._limit = limit_of_headers(self._facts, raw)
        return told

    def took_stream(self) -> None:
        """Note that the answer is a stream of events, asked for or not."""
        self._facts["is_streaming"] = True

    @guarded
    def hears(self, heard: Heard) -> None:
        """Note what will be heard of the stream that answers."""
        # Loaded with the first stream, as many programs have none; and not at its end, which may come when Python
        # itself ends and loads nothing any more.
        self._estimates = importlib.import_module("monitor.capture.estimates")
        self.heard = heard

    def took_first_chunk(self) -> None:
        """Note that the first piece of a streamed answer has come."""
        self._facts["time_to_first_chunk"] = (time.perf_counter_ns() - self._began) // 1_000 / 1_000_000

    def took_body(self, content: bytes, *, is_whole: bool = True) -> None:
        """Read an answer and finish; of one that was none to be kept, its last members or nothing."""
        if not is_whole:
            self._content_type = ""
        elif self.keeper is not None:
            self._answer = content
        body = read_answer(content)
        if body is None:
            self._took_odd(content)
        else:
            self.took_answer(body, content)
        self.finish("completed")

    def took_odd_event(self, data: bytes) -> None:
        """Note the data of an event that is no JSON object."""
        if self._error is None:
            self._error = _unreadable().error_of_event(data)

    def took_answer(self, body: AnswerBody, content: bytes | msgspec.Raw) -> None:
        """Note what an answer, or an event of a stream, states; `content` is what it was read from."""
        facts = self._facts
        if body.id is not None:
            facts["response_id"] = body.id
        if body.model is not None:
            facts["response_model"] = body.model
        if body.service_tier is not None:
            facts["service_tier"] = body.service_tier
        if body.usage is not None:
            self._took_usage(body)
        if body.choices is not None:
            self._took_choices(body.choices)
        if self._status >= 400 or body.error is not None or body.status in _BAD_STATES:
            self._took_state(body)
        if self._units is not None:
            self._took_units(body, content)

    def took_error(self, error: Any) -> None:
        """Note an error object of the API: a mapping with type and code, or something else that says little."""
        self._error = error if isinstance(error, Mapping) else self._error or {}

    def failed(self, error: BaseException) -> None:
        """Finish: the transport raised instead of answering, or broke within the answer."""
        self._note_failure()
        self._has_broken = True
        self._put_fault(fault_of_exception(error))
        self._facts["error_type"] = type(error).__name__
        self.finish("interrupted" if "status" in self._facts else "failed")

    def garbled(self) -> None:
        """Finish: the content encoding of the answer is broken, so nobody can read it."""
        self._has_broken = True
        self._put_fault(BY_NAME["DecodingError"])
        self._facts["error_type"] = "DecodingError"
        self.finish("failed")

    def finish(self, outcome: str) -> None:
        """Write the record; only the first call does anything.

        Args:
            outcome: `completed` or `interrupted`, as far as the transport can tell; an error in the answer makes it
                a failed request. The SDK leaves the body of a refusal that it will retry unread, and a stream at its
                first error: that is no interruption.
        """
        if self.is_done:
            return
        self.is_done = True
        ending, facts = outcome, self._facts
        # Whole microseconds: to round a float takes longer than all of this.
        facts["duration"] = (time.perf_counter_ns() - self._began) // 1_000 / 1_000_000
        if not self._has_broken and (self._status >= 400 or self._error is not None):
            self._classify()
            outcome = "failed"
        if outcome != "completed":
            facts["outcome"] = "failed" if outcome == "interrupted" and self._could_not_read() else outcome
        if self.heard is not None and "usage_source" not in facts:
            self._estimate(self.heard)
        # Added, not formatted: that takes twice as long.
        record = self._start + self.route.more + encode_facts(facts)
        self._writer.put(END, record)
        if self._trackers:
            tell(self._trackers, record)
        if self.keeper is not None:
            self._keep(self.keeper, has_end=ending == "completed")
        if self._parts:
            self.write_parts(records_of(self.base(), self._parts, time.time_ns()))
        if self._trackers:
            tell_end(self._trackers)

    def write_parts(self, parts: Sequence[Mapping[str, object]]) -> None:
        """Write records of their own for works that the answer tells of."""
        records = [encode_facts(facts) for facts in parts]
        self._writer.put(END, *records)
        if self._trackers:
            tell(self._trackers, *records)

    def base(self) -> dict[str, Any]:
        """What is known of the request so far, for the records of works that its answer tells of."""
        return {**self.route.facts, **self._facts, **self._request}

    def _keep(self, keeper: Keeper, *, has_end: bool) -> None:
        answer, is_torn = self._answer, False
        if self.heard is not None:
            answer = b"".join(self.heard.pieces)
            is_torn = not has_end or self.heard.size > len(answer) or (self._error is not None and self._status < 400)
        record_id, started_at = self._request["record_id"], self._request["started_at"]
        asked = self.form if self.content is None else self.content
        keeper.keep(record_id, started_at, asked, answer, is_answer_torn=is_torn)

    @guarded
    def _estimate(self, heard: Heard) -> None:
        # What nobody could read was made all the same.
        if self._facts.get("outcome") == "failed" and self._facts.get("error_class") != UNREADABLE:
            return
        model = self._facts.get("response_model") or self._request.get("request_model")
        found = self._estimates.estimate(self.content, heard.pieces, self.route.endpoint, model, total_bytes=heard.size)
        if found:
            self._facts.update(found)
            self._facts["usage_source"] = "estimated"

    @guarded
    def _could_not_read(self) -> bool:
        """Whether the client left the stream at an event that is no JSON; then names the error."""
        if self.heard is None or self._has_broken:
            return False
        try:
            self._error = _unreadable().error_of_stream(self.heard)
        except ImportError:
            # Python itself ends: it loads nothing any more.
            return False
        if self._error is not None:
            self._classify()
        return self._error is not None

    def _classify(self) -> None:
        """Name the error that the answer states."""
        tier = self._facts.get("request_service_tier")
        self._facts.update(error_fields(self._error, self._status, tier=tier, limit=self._limit))

    def _note_failure(self) -> None:
        request = self._request
        note_failure(request["call_id"], self.route.place, request["attempt"])

    def _put_fault(self, fault: Fault) -> None:
        self._facts["error_class"] = fault.error_class
        if fault.reason:
            self._facts["error_reason"] = fault.reason

    def _took_usage(self, body: AnswerBody) -> None:
        facts, endpoint = self._facts, self.route.endpoint
        usage = usage_fields(body.usage)
        source = endpoint.usage_source if self._units is None else self._units.usage_source_of(endpoint, body)
        if usage and source != "none":
            facts.update(usage)
            facts["usage_source"] = source
            if SEARCHING in facts.get("response_model", "") and endpoint.has_usage_option:
                facts["tool_calls"] = searches_of(facts["response_model"])

    def _took_odd(self, content: bytes) -> None:
        """Note what an answer states that is no JSON object, or that nobody can read it."""
        if self._units is not None:
            self._took_units(None, content)
        if self._content_type or self._status >= 400:
            error = _unreadable().error_of_body(content, self._status, self._content_type, self.route.endpoint)
            self._error = error if self._error is None else self._error

    def _took_units(self, body: AnswerBody | None, content: bytes | msgspec.Raw) -> None:
        answer = self._units.Answer(self.route.endpoint, body, content, self._facts, self._request.get("request_model"))
        self._facts.update(self._units.answer_units(answer))
        if self.route.endpoint.has_parts:
            self._parts += self._units.answer_parts(answer)

    def _took_choices(self, choices: Any) -> None:
        found = finish_reasons(choices)
        if not found:
            return
        if self._reasons:
            found = {**self._reasons, **found}
        self._reasons = found
        self._facts["finish_reasons"] = (
            [*found.values()] if len(found) == 1 else [reason for _, reason in sorted(found.items())]
        )

    def _took_state(self, body: AnswerBody) -> None:
        endpoint = self.route.endpoint
        if self._status >= 400:
            self.took_error(error_of(body))
        elif endpoint.path.startswith("/responses"):
            if body.status == "failed":
                self.took_error(body.error)
            elif body.status == "incomplete" and (reasons := incomplete_reasons(body.incomplete_details)):
                self._facts["finish_reasons"] = reasons
        elif body.error is not None and endpoint.is_billable and refuses(endpoint, body):
            self.took_error(body.error)


def _unreadable() -> Any:
    # Loaded with the first such answer: most programs never get one.
    return importlib.import_module("monitor.capture.unreadable")
