"""Reads one line of a batch's output or error file into the facts of a record."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import msgspec

from monitor.capture.bodies import finish_reasons, text_of
from monitor.capture.endpoints import Endpoint, endpoint_of
from monitor.capture.fault_codes import OTHER_TROUBLE
from monitor.capture.faults import fault_of_answer
from monitor.capture.usages import UsageBody, usage_fields

Facts = dict[str, object]

_NO_JSON: Final = msgspec.Raw(b"null")
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
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


class _Body(msgspec.Struct, gc=False):
    id: Any = None
    object: Any = None
    type: Any = None
    code: Any = None
    model: Any = None
    created: Any = None
    created_at: Any = None
    service_tier: Any = None
    status: Any = None
    usage: Any = None
    error: Any = None
    incomplete_details: Any = None
    choices: Any = None
    data: msgspec.Raw = _NO_JSON


class _Choice(msgspec.Struct, gc=False):
    index: int | None = None
    finish_reason: str | None = None


class _WellFormedBody(_Body, gc=False):
    """Nearly every one: read in one go."""

    usage: UsageBody | None = None
    choices: list[_Choice] | None = None


class _OddBody(_Body, gc=False):
    """Any other."""

    choices: msgspec.Raw = _NO_JSON


B = TypeVar("B", bound=_Body)


class _Response(msgspec.Struct, Generic[B], gc=False):
    status_code: Any = None
    request_id: Any = None
    body: B | None = None


class Line(msgspec.Struct, Generic[B], gc=False):
    """What is looked at of a line; answers themselves are passed over."""

    id: Any = None
    custom_id: Any = None
    response: _Response[B] | msgspec.UnsetType | None = msgspec.UNSET
    error: Any = msgspec.UNSET

    @property
    def is_output(self) -> bool:
        """Whether it is a line of an output or error file; a line of an input file has neither of the two."""
        has_name = self.custom_id is not None or self.id is not None
        return has_name and not (self.response is msgspec.UNSET and self.error is msgspec.UNSET)


AnyLine = Line[_WellFormedBody] | Line[_OddBody]

_decode: Final = msgspec.json.Decoder(Line[_WellFormedBody]).decode
_decode_odd: Final = msgspec.json.Decoder(Line[_OddBody]).decode


def read_line(content: bytes) -> AnyLine | None:
    """A line of a batch file; None when it is no JSON object."""
    try:
        return _decode(content)
    except _UNREADABLE:
        pass
    try:
        return _decode_odd(_mended(content))
    except _UNREADABLE:
        return None


def _mended(content: bytes) -> bytes:
    """The same line without the parts that are no objects where the API has objects, and without NaN."""
    value = json.loads(content, parse_constant=lambda _: None)
    if isinstance(value, dict) and "response" in value:
        response = value["response"]
        if not isinstance(response, dict):
            value["response"] = None
        elif not isinstance(response.get("body"), dict):
            response["body"] = None
    return json.dumps(value).encode()


class LineReader:
    """Makes facts of the lines of one file, all of which went to the same endpoint."""

    def __init__(self, downloaded_at: datetime) -> None:
        """`downloaded_at` is the time of a line that does not state its own."""
        self._downloaded_at = downloaded_at
        self._latest = downloaded_at.timestamp()
        self._earliest = self._latest - _OLDEST
        self._endpoint = _UNKNOWN

    def facts_of(self, line: AnyLine) -> Facts:
        """What the line states, as fields of a record; what it does not state is left out."""
        response = line.response if isinstance(line.response, _Response) else None
        body = response.body if response is not None else None
        facts: Facts = {"custom_id": _name_of(line.custom_id) or _name_of(line.id)}
        if response is not None:
            facts["status"] = _status_of(response.status_code)
            facts["request_id"] = text_of(response.request_id)
        if body is not None:
            self._put_body(facts, body)
        self._put_endpoint(facts)
        facts["started_at"] = self._time_of(body)
        _put_outcome(facts, line.error, body)
        return {name: value for name, value in facts.items() if value is not None}

    def _put_body(self, facts: Facts, body: _Body) -> None:
        self._endpoint = _endpoint_of(body) or self._endpoint
        facts["response_id"] = text_of(body.id)
        facts["response_model"] = text_of(body.model)
        facts["service_tier"] = text_of(body.service_tier)
        facts["answer_status"] = text_of(body.status)
        usage = usage_fields(body.usage)
        if usage:
            facts.update(usage)
            facts["usage_source"] = "late"
        facts["finish_reasons"] = _reasons_of(body)

    def _put_endpoint(self, facts: Facts) -> None:
        endpoint = self._endpoint
        facts["operation_name"] = endpoint.operation_name
        facts["endpoint"] = endpoint.path
        facts["is_billable"] = endpoint.is_billable

    def _time_of(self, body: _Body | None) -> datetime:
        if body is not None:
            created = body.created if body.created is not None else body.created_at
            if isinstance(created, int | float) and self._earliest <= created <= self._latest:
                return datetime.fromtimestamp(created, UTC)
        return self._downloaded_at


def _put_outcome(facts: Facts, line_error: Any, body: _Body | None) -> None:
    status = facts.get("status")
    is_refused = isinstance(status, int) and status >= 400
    has_failed = body is not None and body.status == "failed"
    if not (line_error is not msgspec.UNSET and line_error) and not is_refused and not has_failed:
        return
    stated = line_error if isinstance(line_error, Mapping) else None
    if not stated and body is not None:
        stated = body.error if isinstance(body.error, Mapping) else {"type": body.type, "code": body.code}
    stated = stated or {}
    error_type, error_code = text_of(stated.get("type")), text_of(stated.get("code"))
    fault = fault_of_answer(_int(status), error_type, error_code, param=stated.get("param")) or OTHER_TROUBLE
    facts["outcome"] = "failed"
    facts["error_class"], facts["error_reason"] = fault
    facts["error_code"] = error_code
    facts["error_type"] = error_type or (str(status) if is_refused else error_code or "error")


def _endpoint_of(body: _Body) -> Endpoint | None:
    path = _PATHS.get(body.object) if isinstance(body.object, str) else None
    if path is None and body.object is None:
        # Moderations and pictures have no `object`.
        if isinstance(body.id, str) and body.id.startswith("modr"):
            path = "/moderations"
        elif body.id is None and bytes(memoryview(body.data)[:1]) == b"[":
            path = "/images/generations"
    return endpoint_of("POST", path) if path else None


def _reasons_of(body: _Body) -> list[str] | None:
    if found := finish_reasons(body.choices):
        return [reason for _, reason in sorted(found.items())]
    if body.status == "incomplete" and isinstance(body.incomplete_details, Mapping):
        reason = text_of(body.incomplete_details.get("reason"))
        return [reason] if reason else None
    return None


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
