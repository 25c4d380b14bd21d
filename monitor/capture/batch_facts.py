"""Makes the facts of a record of one line of a batch's output or error file."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from monitor.capture.batch_bodies import AnyLine, LineBody, LineResponse, answer_in
from monitor.capture.bodies import error_of, finish_reasons, incomplete_reasons, text_of
from monitor.capture.endpoints import Endpoint, endpoint_of
from monitor.capture.faults import error_fields
from monitor.capture.unit_readers import Answer
from monitor.capture.units import answer_units
from monitor.capture.usages import searches_of, usage_fields

Facts = dict[str, object]

_LONGEST_NAME: Final = 256
_KEPT_OF_NAME: Final = 223
_OLDEST: Final = 60 * 86_400

_PATHS: Final = {
    "chat.completion": "/chat/completions",
    "response": "/responses",
    "text_completion": "/completions",
    "list": "/embeddings",
    "video": "/videos",
}
"""Endpoints by the `object` of their answers."""

_UNKNOWN: Final = Endpoint(operation_name="batch_line", path="/batches")


class LineReader:
    """Makes facts of the lines of one file, all of which went to the same endpoint."""

    def __init__(self, downloaded_at: datetime) -> None:
        """`downloaded_at` is the time of a line that does not state its own."""
        self._downloaded_at = downloaded_at
        self._latest = downloaded_at.timestamp()
        self._earliest = self._latest - _OLDEST
        self._endpoint = _UNKNOWN

    def facts_of(self, line: AnyLine, content: bytes) -> Facts:
        """What the line states, as fields of a record; what it does not state is left out.

        Args:
            line: what was read of it.
            content: the whole of it.
        """
        response = line.response if isinstance(line.response, LineResponse) else None
        body = response.body if response is not None else None
        facts: Facts = {"custom_id": _name_of(line.custom_id) or _name_of(line.id)}
        if response is not None:
            _put(facts, "status", _status_of(response.status_code))
            _put(facts, "request_id", text_of(response.request_id))
        if body is not None:
            self._put_body(facts, body, content)
        endpoint = self._endpoint
        facts["operation_name"] = endpoint.operation_name
        facts["endpoint"] = endpoint.path
        facts["is_billable"] = endpoint.is_billable
        facts["started_at"] = self._time_of(body)
        _put_outcome(facts, line.error, body)
        return facts

    def _put_body(self, facts: Facts, body: LineBody, content: bytes) -> None:
        self._endpoint = _endpoint_of(body) or self._endpoint
        _put(facts, "response_id", text_of(body.id))
        _put(facts, "response_model", text_of(body.model))
        _put(facts, "service_tier", text_of(body.service_tier))
        _put(facts, "finish_reasons", _reasons_of(body))
        usage = usage_fields(body.usage)
        facts.update(usage)
        units = self._units(facts, body, content)
        facts.update(units)
        if usage or "usage_source" in units:
            # Whoever made the batch began the work.
            facts["usage_source"] = "late"

    def _units(self, facts: Facts, body: LineBody, content: bytes) -> Facts:
        endpoint = self._endpoint
        if endpoint.units is not None:
            return answer_units(Answer(endpoint, body, answer_in(content), facts, None))
        calls = searches_of(text_of(body.model) or "") if endpoint.has_usage_option else None
        return {"tool_calls": calls} if calls else {}

    def _time_of(self, body: LineBody | None) -> datetime:
        if body is not None:
            created = body.created if body.created is not None else body.created_at
            if isinstance(created, int | float) and self._earliest <= created <= self._latest:
                return datetime.fromtimestamp(created, UTC)
        return self._downloaded_at


def _put(facts: Facts, name: str, value: object) -> None:
    if value is not None:
        facts[name] = value


def _put_outcome(facts: Facts, line_error: Any, body: LineBody | None) -> None:
    status = _int(facts.get("status"))
    is_refused = status is not None and status >= 400
    has_failed = body is not None and body.status == "failed"
    if not (line_error is not msgspec.UNSET and line_error) and not is_refused and not has_failed:
        return
    error = line_error if isinstance(line_error, Mapping) and line_error else None
    if error is None and body is not None:
        error = error_of(body)
    facts |= {"outcome": "failed", **error_fields(error, status)}


def _endpoint_of(body: LineBody) -> Endpoint | None:
    path = _PATHS.get(body.object) if isinstance(body.object, str) else None
    if path is None and body.object is None:
        # Moderations and pictures have no `object`.
        if isinstance(body.id, str) and body.id.startswith("modr"):
            path = "/moderations"
        elif body.id is None and bytes(memoryview(body.data)[:1]) == b"[":
            path = "/images/generations"
    return endpoint_of("POST", path) if path else None


def _reasons_of(body: LineBody) -> list[str] | None:
    if body.choices and (found := finish_reasons(body.choices)):
        return [reason for _, reason in sorted(found.items())]
    return incomplete_reasons(body.incomplete_details) if body.status == "incomplete" else None


def _status_of(value: Any) -> int | None:
    return value if type(value) is int and 100 <= value <= 999 else None


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _name_of(value: Any) -> str | None:
    """A line's name. Two long ones that begin alike stay two: repeats are known by their names."""
    if isinstance(value, str) and len(value) > _LONGEST_NAME:
        mark = hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=16).hexdigest()
        return f"{value[:_KEPT_OF_NAME]}~{mark}"
    return text_of(value)
