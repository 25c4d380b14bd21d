"""Takes out of a stream again what is only there because we asked for the usage."""

import re
from typing import Any, Final

import msgspec

from monitor.capture.sse import data_of

_USAGE_NULL: Final = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,')
NO_USAGE: Final = b'],"usage":null'
"""As OpenAI sends it, right behind the choices: what is within something else is not ours."""

_HAS_USAGE: Final = re.compile(rb'"usage"\s*:\s*\{')
_NO_CHOICES: Final = re.compile(rb'"choices"\s*:\s*\[\s*\]')


class _Chunk(msgspec.Struct):
    choices: list[msgspec.Raw]
    usage: dict[str, msgspec.Raw]
    moderation: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def shown_of(event: bytes) -> bytes:
    """What the caller gets of an event: nothing of the usage chunk, the others without their `"usage":null`.

    The quotes inside a JSON text are escaped, so the patterns never meet what the model wrote.
    """
    if b'"usage"' not in event:
        return event
    if NO_USAGE in event and b'"usage":{' not in event:
        return event.replace(NO_USAGE, b"]", 1)
    chunk = _usage_chunk(event)
    if chunk is not None:
        return b"" if chunk.moderation is None else _without_usage(event)
    return _without_null(event) if _USAGE_NULL.search(event) else event


def _usage_chunk(event: bytes) -> _Chunk | None:
    """The chunk that brings the usage and no choice; None for all others."""
    if not _NO_CHOICES.search(event) or not _HAS_USAGE.search(event):
        return None
    try:
        chunk = _decode(data_of(event))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if chunk.choices else chunk


def _without_null(event: bytes) -> bytes:
    """A chunk without the usage that it has not; one that says so within something else stays as it is."""
    try:
        usage = _decode_parts(data_of(event)).get("usage")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return event
    if usage is None or bytes(usage) != b"null":
        return event
    return _USAGE_NULL.sub(b"", event) if len(_USAGE_NULL.findall(event)) == 1 else _without_usage(event)


def _without_usage(event: bytes) -> bytes:
    """A chunk that has something else to tell, too."""
    parts = _decode_parts(data_of(event))
    del parts["usage"]
    return b"data: %b\n\n" % msgspec.json.encode(parts)
