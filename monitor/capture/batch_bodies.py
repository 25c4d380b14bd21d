"""Reads a line of a batch's output or error file, and never more than matters: answers are passed over.

Lines can be anything. A part that is not as the API has it is unknown; the others are still read.
"""

import json
from typing import Any, Final, Generic, TypeVar

import msgspec

from monitor.capture.bodies import NO_JSON, AnswerBody, Choice, read_as
from monitor.capture.usages import UsageBody

_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class LineBody(AnswerBody, gc=False):
    """The fields of a line's answer that are looked at."""

    object: Any = None
    created: Any = None
    created_at: Any = None
    data: msgspec.Raw = NO_JSON


class _WellFormedBody(LineBody, gc=False):
    """Nearly every one: read in one go."""

    usage: UsageBody | None = None
    choices: list[Choice] | None = None


class _OddBody(LineBody, gc=False):
    """Any other."""

    choices: msgspec.Raw = NO_JSON


B = TypeVar("B", bound=LineBody)


class LineResponse(msgspec.Struct, Generic[B], gc=False):
    """The answer in a line, and what stands around it."""

    status_code: Any = None
    request_id: Any = None
    body: B | None = None


class Line(msgspec.Struct, Generic[B], gc=False):
    """What is looked at of a line; answers themselves are passed over."""

    id: Any = None
    custom_id: Any = None
    response: LineResponse[B] | msgspec.UnsetType | None = msgspec.UNSET
    error: Any = msgspec.UNSET

    @property
    def is_output(self) -> bool:
        """Whether it is a line of an output or error file; a line of an input file has neither of the two."""
        has_name = self.custom_id is not None or self.id is not None
        return has_name and self.has_answer

    @property
    def has_answer(self) -> bool:
        """Whether it tells what became of something, be it nothing."""
        return not (self.response is msgspec.UNSET and self.error is msgspec.UNSET)


AnyLine = Line[_WellFormedBody] | Line[_OddBody]


class _RawResponse(msgspec.Struct, gc=False):
    body: msgspec.Raw = NO_JSON


class _RawLine(msgspec.Struct, gc=False):
    response: _RawResponse | None = None


class _Parts(msgspec.Struct, gc=False):
    response: msgspec.Raw = NO_JSON
    error: msgspec.Raw = NO_JSON


class _Response(msgspec.Struct, gc=False):
    body: msgspec.Raw = NO_JSON


_decode: Final = msgspec.json.Decoder(Line[_WellFormedBody]).decode
_decode_odd: Final = msgspec.json.Decoder(Line[_OddBody]).decode
_decode_raw: Final = msgspec.json.Decoder(_RawLine).decode
_decode_parts: Final = msgspec.json.Decoder(_Parts).decode
_decode_response: Final = msgspec.json.Decoder(_Response).decode


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


def answer_in(content: bytes) -> bytes | msgspec.Raw:
    """The answer in a line as it stands there; empty where it cannot be told from the rest."""
    try:
        response = _decode_raw(content).response
    except _UNREADABLE:
        return b""
    return b"" if response is None else response.body


def content_in(content: bytes) -> bytes | None:
    """What a line says for those who keep contents: the answer in it, else its error; None where it has neither."""
    parts = read_as(_decode_parts, content) or _Parts()
    response = read_as(_decode_response, parts.response) or _Response()
    return next((bytes(part) for part in (response.body, parts.error) if part != NO_JSON), None)


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
