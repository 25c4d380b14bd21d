"""One request from its start to its record."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from monitor.capture.bodies import AnswerBody, finish_reasons, read_answer, text_of, usage_fields
from monitor.capture.endpoints import Endpoint
from monitor.capture.faults import class_of_answer, class_of_exception
from monitor.capture.limits import limit_fields, number_of
from monitor.records import Record

_HEADERS: Final = {
    "x-request-id": "request_id",
    "apim-request-id": "request_id",
    "openai-organization": "billing_account_id",
    "openai-project": "sub_account_id",
}
_FAILED_STATES: Final = frozenset({"failed"})


class Sink(Protocol):
    """Takes finished records."""

    def end(self, record: Record) -> None:
        """Make the record durable."""


class Exchange:
    """Gathers the facts of one request and writes its record exactly once, at whichever end comes first."""

    def __init__(self, sink: Sink, endpoint: Endpoint, started_at: datetime, facts: dict[str, Any]) -> None:
        """Begin now.

        Args:
            sink: where the record goes.
            endpoint: what kind of request it is.
            started_at: aware UTC.
            facts: fields of the record that are known before the request leaves.
        """
        self._sink = sink
        self._started = time.perf_counter()
        self._facts = facts
        self._facts["started_at"] = started_at
        self._has_error = False
        self._has_broken = False
        self._reasons: dict[int, str] = {}
        self.endpoint = endpoint
        self.is_done = False

    def took_headers(self, status: int, headers: Mapping[str, str]) -> None:
        """Note status and headers of the answer (names in lower case)."""
        facts = self._facts
        facts["status"] = status
        for header, name in _HEADERS.items():
            value = headers.get(header)
            if value and not (name == "request_id" and name in facts):
                facts[name] = value[:256]
        milliseconds = number_of(headers.get("openai-processing-ms", ""))
        if milliseconds is not None:
            facts["server_duration"] = milliseconds / 1000
        facts.update(limit_fields(headers))

    @property
    def has_finish_reason(self) -> bool:
        """Whether the answer has said why the model stopped."""
        return bool(self._reasons)

    def took_stream(self) -> None:
        """Note that the answer is a stream of events, asked for or not."""
        self._facts["is_streaming"] = True

    def took_first_chunk(self) -> None:
        """Note that the first piece of a streamed answer has come."""
        self._facts["time_to_first_chunk"] = self._elapsed()

    def took_body(self, content: bytes) -> None:
        """Read a whole answer and finish."""
        body = read_answer(content)
        if body is not None:
            self.took_answer(body)
        self.finish("completed")

    def took_answer(self, body: AnswerBody) -> None:
        """Note what an answer, or an event of a stream, states."""
        facts = self._facts
        for name, value in (
            ("response_id", body.id),
            ("response_model", body.model),
            ("service_tier", body.service_tier),
        ):
            text = text_of(value)
            if text:
                facts[name] = text
        usage = usage_fields(body.usage)
        if usage:
            facts.update(usage)
            facts["usage_source"] = "repeated" if self.endpoint.is_repeat else "response"
        self._reasons |= finish_reasons(body.choices)
        if self._reasons:
            facts["finish_reasons"] = [reason for _, reason in sorted(self._reasons.items())]
        self._took_state(body)

    def took_error(self, error: Any) -> None:
        """Note an error object of the API: a mapping with type and code, or something else that says little."""
        self._has_error = True
        if isinstance(error, Mapping):
            self._facts["error_type"] = text_of(error.get("type"))
            self._facts["error_code"] = text_of(error.get("code"))

    def failed(self, error: BaseException) -> None:
        """Finish: the transport raised instead of answering, or broke within the answer."""
        self._has_broken = True
        self._facts["error_class"] = class_of_exception(error)
        self._facts["error_type"] = type(error).__name__
        self.finish("interrupted" if "status" in self._facts else "failed")

    def garbled(self) -> None:
        """Finish: the content encoding of the answer is broken, so nobody can read it."""
        self._has_broken = True
        self._facts["error_class"] = "parse"
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
        self._facts["duration"] = self._elapsed()
        if not self._has_broken and self._classify():
            outcome = "failed"
        self._sink.end(Record(outcome=outcome, **self._facts))

    def _classify(self) -> bool:
        """Name the error that the answer states; whether there is one."""
        facts = self._facts
        status = facts.get("status")
        is_refused = isinstance(status, int) and status >= 400
        if not is_refused and not self._has_error:
            return False
        error_type, error_code = facts.get("error_type"), facts.get("error_code")
        facts["error_class"] = class_of_answer(status, error_type, error_code) or "server"
        facts["error_type"] = error_type or (str(status) if is_refused else error_code or "error")
        return True

    def _took_state(self, body: AnswerBody) -> None:
        status = self._facts.get("status")
        if isinstance(status, int) and status >= 400:
            # Some servers state the error without an object around it.
            self.took_error(body.error if body.error is not None else {"type": body.type, "code": body.code})
        elif self.endpoint.path.startswith("/responses"):
            if body.status in _FAILED_STATES:
                self.took_error(body.error)
            elif body.status == "incomplete" and isinstance(body.incomplete_details, Mapping):
                reason = text_of(body.incomplete_details.get("reason"))
                self._facts["finish_reasons"] = [reason] if reason else None
        elif self.endpoint.is_billable and isinstance(body.error, Mapping) and body.usage is None:
            # Some servers refuse with a status that says all is well.
            self.took_error(body.error)

    def _elapsed(self) -> float:
        return round(time.perf_counter() - self._started, 6)
