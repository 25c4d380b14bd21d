"""Reads the messages of a socket: nearly all are only glanced at, the others give up their few telling fields."""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from monitor.capture.bodies import NO_JSON, read_as, text_of
from monitor.capture.usages import amount_of

Message = bytes | str
"""What a socket carries; a JSON object in all of OpenAI's protocols."""

_START: Final = 96
_GLANCE: Final = 256
_LONGEST: Final = 10**8
_LIMITS: Final = {"limit": "limit", "remaining": "remaining", "reset_seconds": "reset"}

# The type stands first, or behind plain short fields such as an id. Lazy, so that the first `type` is taken.
_HEAD: Final = r'\s*\{\s*(?:"[a-z_]+"\s*:\s*(?:"[^"\\]*"|-?[0-9.]+|null|true|false)\s*,\s*)*?"type"\s*:\s*"([^"\\]*)"'
_in_text: Final = re.compile(_HEAD).match
_in_bytes: Final = re.compile(_HEAD.encode()).match


class Event(msgspec.Struct):
    """The fields of a message that are looked at; those of every protocol together."""

    type: Any = None
    event_id: Any = None
    client_event_id: Any = None
    stream_id: Any = None
    response_id: Any = None
    item_id: Any = None
    session: Any = None
    usage: Any = None
    error: Any = None
    code: Any = None
    status: Any = None
    reason: Any = None
    transcript: Any = None
    rate_limits: Any = None
    response: msgspec.Raw = NO_JSON
    event: msgspec.Raw = NO_JSON
    decision: msgspec.Raw = NO_JSON


class Piece(Event):
    """Those of a piece of an answer."""

    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None


class Work(msgspec.Struct):
    """The fields of a response or a decision that are looked at."""

    id: Any = None
    model: Any = None
    service_tier: Any = None
    status: Any = None
    status_details: Any = None
    incomplete_details: Any = None
    error: Any = None
    conversation: Any = None
    conversation_id: Any = None
    usage: Any = None


class _Kind(msgspec.Struct):
    type: Any = None


_decode_event: Final = msgspec.json.Decoder(Event).decode
_decode_piece: Final = msgspec.json.Decoder(Piece).decode
_decode_work: Final = msgspec.json.Decoder(Work).decode
_decode_kind: Final = msgspec.json.Decoder(_Kind).decode


def is_piece(message: Message) -> bool:
    """Whether a message surely is a piece of an answer, as most are: sound, text. One short search."""
    if type(message) is bytes:
        return b'.delta"' in message[:_START]
    return type(message) is str and '.delta"' in message[:_START]


def is_sounding(piece: Message) -> bool:
    """Whether a piece of an answer surely is sound."""
    if type(piece) is bytes:
        return b'audio.delta"' in piece[:_START]
    return type(piece) is str and 'audio.delta"' in piece[:_START]


def is_sound(message: object) -> bool:
    """Whether a message surely is sound on its way to the server, as most are."""
    if type(message) is str:
        return '.append"' in message[:_START]
    return type(message) is bytes and b'.append"' in message[:_START]


def kind_of(message: Message) -> Message | None:
    """The type of a message, as text or bytes like the message itself; None when it has none."""
    found: re.Match[Any] | None = (
        _in_text(message[:_GLANCE]) if isinstance(message, str) else _in_bytes(message[:_GLANCE])
    )
    if found is not None:
        kind: Message = found[1]
        return kind
    return _kind_behind_much(message)


def read_event(message: Message | msgspec.Raw) -> Event:
    """The looked-at fields of a message; all unknown when it is no JSON object."""
    return read_as(_decode_event, encoded(message)) or Event()


def read_piece(message: Message | msgspec.Raw) -> Piece:
    """The same of a piece of an answer."""
    return read_as(_decode_piece, encoded(message)) or Piece()


def read_work(content: msgspec.Raw) -> Work:
    """The looked-at fields of a response or decision inside a message; all unknown when it is no JSON object."""
    return read_as(_decode_work, content) or Work()


def seconds_in(usage: Any) -> float | None:
    """The length of a session so far, None when it is not told or cannot be."""
    seconds = amount_of(usage.get("seconds")) if isinstance(usage, dict) else None
    return seconds if seconds is not None and 0 <= seconds <= _LONGEST else None


def limit_facts(limits: Any) -> dict[str, Any]:
    """The rate-limit fields of a record from the list that an event holds."""
    facts: dict[str, Any] = {}
    others: dict[str, float] = {}
    for name, told in _limits(limits):
        for key, field in _LIMITS.items():
            value = amount_of(told.get(key))
            if value is None:
                continue
            if name in ("requests", "tokens"):
                facts[f"{name}_{field}"] = value if field == "reset" else int(value)
            else:
                others[f"{field}-{name}"] = value
    return {**facts, "other_limits": others} if others else facts


def _limits(limits: Any) -> Iterable[tuple[str, dict[str, Any]]]:
    for told in limits if isinstance(limits, list) else ():
        name = text_of(told.get("name")) if isinstance(told, dict) else None
        if name:
            yield name, told


def _kind_behind_much(message: Message) -> Message | None:
    found = read_as(_decode_kind, encoded(message))
    return found.type if found is not None and isinstance(found.type, str) else None


def encoded(message: Message | msgspec.Raw) -> bytes | msgspec.Raw:
    """A message as bytes."""
    return message.encode("utf-8", "replace") if isinstance(message, str) else message
