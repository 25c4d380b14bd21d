"""What can be told of an answer that is no JSON object, or an event that is no JSON. Few programs ever load this."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from monitor.capture.endpoints import Endpoint
from monitor.capture.fault_codes import BY_TYPE
from monitor.capture.heard import KEPT, Heard
from monitor.capture.sse import EventSplitter, data_of

_DONE: Final = b"[DONE]"
_IN_OTHER_FORMS: Final = ("speech", "transcription")
"""Units of endpoints whose answers may be sound or text, whatever their content type."""

_USUAL: Final = "JSONDecodeError"
_GOOD: Final = range(200, 300)
_NO_CONTENT: Final = 204

_check: Final = msgspec.json.Decoder(msgspec.Raw).decode


def error_of_body(content: bytes, status: int, content_type: str, endpoint: Endpoint) -> Mapping[str, Any] | None:
    """The error that the answer states in a list, or that it is when the client cannot read it; None for neither.

    Args:
        content: what is no JSON object.
        status: of the answer.
        content_type: of it; "" where its body was not kept.
        endpoint: what was asked.
    """
    if status >= 400:
        return _first_error(content)
    if status not in _GOOD or status == _NO_CONTENT or not content_type.partition(";")[0].endswith("json"):
        return None
    if endpoint.units in _IN_OTHER_FORMS and not content.lstrip().startswith(b"{"):
        return None
    # What is only deleted or accepted is answered with nothing at all.
    return _error_of_json(content) if content or endpoint.is_billable else None


def error_of_event(data: bytes) -> Mapping[str, Any] | None:
    """The error that the client meets when it reads the data of an event; None where it can read them."""
    if not data or data.startswith(_DONE):
        return None
    try:
        data.decode()
        _check(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _error_of_json(data)
    return None


def error_of_stream(heard: Heard) -> Mapping[str, Any] | None:
    """The error that the client met in an event of a stream that it left; None where it could read all of them."""
    if heard.size > KEPT:
        # The event at which it left was not kept.
        return None
    errors = (error_of_event(data_of(event)) for event in EventSplitter().feed(b"".join(heard.pieces)))
    return next((error for error in errors if error is not None), None)


def _error_of_json(content: bytes) -> Mapping[str, Any] | None:
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        name = type(error).__name__
        return {"type": name if name in BY_TYPE else _USUAL}
    return None


def _first_error(content: bytes) -> Mapping[str, Any] | None:
    """Google puts its one error into a list."""
    try:
        told = json.loads(content) if content.lstrip().startswith(b"[") else None
    except (ValueError, RecursionError):
        return None
    first = told[0] if told else None
    error = first.get("error") if isinstance(first, Mapping) else None
    return error if isinstance(error, Mapping) else None
