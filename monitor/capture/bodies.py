"""Reads what matters out of request and answer bodies, and never more: prompts and completions are passed over.

Bodies can be anything. A part that is not as the API has it is unknown; the others are still read.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec

from monitor.capture.usages import UsageBody

NO_JSON: Final = msgspec.Raw(b"null")
"""What a part is that the body does not have."""

LONGEST_TEXT: Final = 256


class RequestBody(msgspec.Struct, gc=False):
    """The fields of a request body that are looked at."""

    model: Any = None
    stream: Any = None
    stream_options: Any = None
    service_tier: Any = None
    user: Any = None
    safety_identifier: Any = None
    conversation: Any = None
    background_options: Any = None


class MediaRequest(RequestBody, gc=False):
    """Those of a request for pictures, sound, video or a container, and of a form."""

    input: Any = None
    size: Any = None
    quality: Any = None
    seconds: Any = None
    memory_limit: Any = None


class AnswerBody(msgspec.Struct, gc=False):
    """The fields of an answer, or of one event of a stream, that are looked at."""

    id: Any = None
    type: Any = None
    model: Any = None
    service_tier: Any = None
    status: Any = None
    usage: Any = None
    error: Any = None
    code: Any = None
    choices: Any = None
    incomplete_details: Any = None
    background: Any = None
    conversation: Any = None
    message: Any = None
    param: Any = None
    x_groq: Any = None
    tools: msgspec.Raw = NO_JSON
    tool_usage: msgspec.Raw = NO_JSON
    output: msgspec.Raw = NO_JSON
    response: msgspec.Raw = NO_JSON


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)] | None


class Choice(msgspec.Struct, gc=False):
    """One of the completions in an answer."""

    index: int | None = None
    finish_reason: _Name = None


class _WellFormedAnswer(AnswerBody, gc=False):
    """One whose names are names, counts are counts and choices are choices: read in one go."""

    id: _Name = None
    model: _Name = None
    service_tier: _Name = None
    usage: UsageBody | None = None
    choices: list[Choice] | None = None


class _OddAnswer(AnswerBody, gc=False):
    """Any other."""

    choices: msgspec.Raw = NO_JSON


class _OddChoice(msgspec.Struct, gc=False):
    index: Any = None
    finish_reason: Any = None


B = TypeVar("B", bound=msgspec.Struct)

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_decode_request = msgspec.json.Decoder(RequestBody).decode
_decode_media_request = msgspec.json.Decoder(MediaRequest).decode
_decode_answer = msgspec.json.Decoder(_WellFormedAnswer).decode
_decode_odd_answer = msgspec.json.Decoder(_OddAnswer).decode
_decode_choices = msgspec.json.Decoder(list[_OddChoice | None]).decode


def error_of(body: AnswerBody) -> Mapping[str, Any]:
    """The error that an answer states; some servers do so without an object around it."""
    if isinstance(body.error, Mapping):
        return body.error
    message = body.error if isinstance(body.error, str) else body.message
    return {"type": body.type, "code": body.code, "param": body.param, "message": message}


def read_request(content: bytes) -> RequestBody | None:
    """The looked-at fields of a JSON request; None when it is no JSON object."""
    return read_as(_decode_request, content)


def read_media_request(content: bytes) -> MediaRequest | None:
    """The same of a request for pictures, sound or video."""
    return read_as(_decode_media_request, content)


def read_answer(content: bytes | msgspec.Raw) -> AnswerBody | None:
    """The looked-at fields of a JSON answer; None when it is no JSON object. Its names are texts, or None."""
    try:
        return _decode_answer(content)
    except _UNREADABLE:
        body = read_as(_decode_odd_answer, content)
    if body is not None:
        body.id, body.model, body.service_tier = text_of(body.id), text_of(body.model), text_of(body.service_tier)
    return body


def finish_reasons(choices: Any) -> dict[int, str]:
    """Why the model stopped, by the index of each choice that says so.

    Args:
        choices: of an `AnswerBody`, or as raw JSON.
    """
    if isinstance(choices, msgspec.Raw):
        return _odd_reasons(choices)
    reasons: dict[int, str] = {}
    for place, choice in enumerate(choices or ()):
        if choice.finish_reason is not None:
            reasons[place if choice.index is None else choice.index] = choice.finish_reason
    return reasons


def _odd_reasons(raw: msgspec.Raw) -> dict[int, str]:
    try:
        choices = _decode_choices(raw)
    except _UNREADABLE:
        return {}
    reasons: dict[int, str] = {}
    for place, choice in enumerate(choices):
        if choice is not None and (reason := text_of(choice.finish_reason)):
            reasons[choice.index if isinstance(choice.index, int) else place] = reason
    return reasons


def incomplete_reasons(details: Any) -> list[str] | None:
    """Why an answer is not whole, as `finish_reasons` has it; None where its details do not say."""
    reason = text_of(details.get("reason")) if isinstance(details, Mapping) else None
    return [reason] if reason else None


def text_of(value: Any) -> str | None:
    """A name or id as text of reasonable length; numbers become text, everything else is unknown."""
    if isinstance(value, str):
        return (value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT]) or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def read_as(decode: Callable[[bytes | msgspec.Raw], B], content: bytes | msgspec.Raw) -> B | None:
    """A JSON object as the struct of this decoder; None when it is none, or one of its parts has another type."""
    try:
        return decode(content)
    except msgspec.MsgspecError:
        again = _as_python_reads(content)
    except _UNREADABLE:
        return None
    try:
        return None if again is None else decode(again)
    except _UNREADABLE:
        return None


def _as_python_reads(content: bytes | msgspec.Raw) -> bytes | None:
    """The same JSON in a strict form: the SDK reads it with Python's own reader, which takes more, such as NaN."""
    try:
        value = json.loads(bytes(content), parse_constant=lambda _: None)
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return None
