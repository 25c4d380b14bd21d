"""Takes out of a stream again what is only there because we asked for the usage."""

import re
from typing import Final

import msgspec

from monitor.capture.sse import data_of

_USAGE_NULL: Final = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,')
_AS_OPENAI_SENDS_IT: Final = b',"usage":null'
_HAS_USAGE: Final = re.compile(rb'"usage"\s*:\s*\{')
_NO_CHOICES: Final = re.compile(rb'"choices"\s*:\s*\[\s*\]')


class _Chunk(msgspec.Struct):
    choices: list[msgspec.Raw]
    usage: dict[str, msgspec.Raw]


_decode = msgspec.json.Decoder(_Chunk).decode


def shown_of(event: bytes) -> bytes:
    """What the caller gets of an event: nothing of the usage chunk, the others without their `"usage":null`.

    The quotes inside a JSON text are escaped, so the patterns never meet what the model wrote.
    """
    if b'"usage"' not in event:
        return event
    if _AS_OPENAI_SENDS_IT in event and b'"usage":{' not in event:
        return event.replace(_AS_OPENAI_SENDS_IT, b"", 1)
    if _is_usage_chunk(event):
        return b""
    return _USAGE_NULL.sub(b"", event, count=1)


def _is_usage_chunk(event: bytes) -> bool:
    if not _NO_CHOICES.search(event) or not _HAS_USAGE.search(event):
        return False
    try:
        chunk = _decode(data_of(event))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return not chunk.choices
