"""JSON that stands in a text, such as the arguments of a tool."""

import json
import re
from typing import Any, Final

_START: Final = re.compile(r"\s*[{\[]")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrt/]))")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "/": "/"}
_UNREADABLE: Final = (ValueError, RecursionError)


def value_in(text: str) -> Any:
    """The object or array that a whole text is; None for all others, and where a name stands twice in an object."""
    if _START.match(text) is None:
        return None
    try:
        return json.loads(text, object_pairs_hook=_object_of)
    except _UNREADABLE:
        return None


def dumped(value: Any) -> str:
    """A value as short JSON, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unescaped(text: str) -> str:
    """A text with what the escapes of JSON in it stand for: they would hide where a secret begins."""
    return _ESCAPE.sub(_letter_of, text)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # Only one of the two would be looked at, and both would be kept.
        raise ValueError
    return members


def _letter_of(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _LETTERS[found[2]]
