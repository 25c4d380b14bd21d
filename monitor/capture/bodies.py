"""Reads what matters out of request and answer bodies, and never more: prompts and completions are passed over.

Bodies can be anything. A part that is not as the API has it is unknown; the others are still read.
"""

import json
import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

_LARGEST: Final = 10**12
"""A count above it is no count: it would only spoil every sum it gets into."""

_NO_JSON: Final = msgspec.Raw(b"null")
_TEXT_LIMIT: Final = 256


class RequestBody(msgspec.Struct):
    """The fields of a request body that are looked at."""

    model: Any = None
    stream: Any = None
    stream_options: Any = None
    service_tier: Any = None
    user: Any = None
    safety_identifier: Any = None


class AnswerBody(msgspec.Struct):
    """The fields of an answer, or of one event of a stream, that are looked at."""

    id: Any = None
    type: Any = None
    model: Any = None
    service_tier: Any = None
    status: Any = None
    usage: Any = None
    error: Any = None
    code: Any = None
    choices: msgspec.Raw = _NO_JSON
    incomplete_details: Any = None
    response: msgspec.Raw = _NO_JSON


class _Choice(msgspec.Struct):
    index: Any = None
    finish_reason: Any = None


B = TypeVar("B", bound=msgspec.Struct)

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_decode_request = msgspec.json.Decoder(RequestBody).decode
_decode_answer = msgspec.json.Decoder(AnswerBody).decode
_decode_choices = msgspec.json.Decoder(list[_Choice | None]).decode

_TOTALS: Final = {
    "input_tokens": "input_tokens",
    "prompt_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "completion_tokens": "output_tokens",
}
_INPUT_PARTS: Final = {
    "cached_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
}
_OUTPUT_PARTS: Final = {
    "reasoning_tokens": "reasoning_output_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
}
_DETAILS: Final = {
    "prompt_tokens_details": _INPUT_PARTS,
    "input_tokens_details": _INPUT_PARTS,
    "input_token_details": _INPUT_PARTS,
    "prompt_token_details": _INPUT_PARTS,
    "completion_tokens_details": _OUTPUT_PARTS,
    "output_tokens_details": _OUTPUT_PARTS,
    "output_token_details": _OUTPUT_PARTS,
    "completion_token_details": _OUTPUT_PARTS,
}


def read_request(content: bytes) -> RequestBody | None:
    """The looked-at fields of a JSON request; None when it is no JSON object."""
    return _read(_decode_request, content)


def read_answer(content: bytes | msgspec.Raw) -> AnswerBody | None:
    """The looked-at fields of a JSON answer; None when it is no JSON object."""
    return _read(_decode_answer, content)


def finish_reasons(choices: msgspec.Raw) -> dict[int, str]:
    """Why the model stopped, by the index of each choice that says so."""
    try:
        found = _decode_choices(choices)
    except _UNREADABLE:
        return {}
    return {
        choice.index if isinstance(choice.index, int) else place: reason
        for place, choice in enumerate(found)
        if choice is not None and (reason := text_of(choice.finish_reason))
    }


def usage_fields(usage: Any) -> dict[str, object]:
    """The usage fields of a record from a usage object of any endpoint; empty when it states nothing."""
    if not isinstance(usage, dict):
        return {}
    fields: dict[str, object] = {}
    for key, value in usage.items():
        if name := _TOTALS.get(key):
            # A server that gives a total under both spellings gives the newer one for us.
            if key == name or name not in fields:
                _put(fields, name, value)
        elif isinstance(value, dict) and (parts := _DETAILS.get(key)):
            for part, tokens in value.items():
                if name := parts.get(part):
                    _put(fields, name, tokens)
    seconds = usage.get("seconds")
    if usage.get("type") == "duration" and isinstance(seconds, int | float) and not isinstance(seconds, bool):
        fields["audio_seconds"] = float(seconds) if math.isfinite(seconds) and abs(seconds) < _LARGEST else None
    return fields


def text_of(value: Any) -> str | None:
    """A name or id as text of reasonable length; numbers become text, everything else is unknown."""
    if isinstance(value, str):
        return value[:_TEXT_LIMIT] or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _read(decode: Callable[[bytes | msgspec.Raw], B], content: bytes | msgspec.Raw) -> B | None:
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


def _put(fields: dict[str, object], name: str, value: Any) -> None:
    if type(value) is int and 0 <= value < _LARGEST:
        fields[name] = value
        return
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        fields[name] = value
