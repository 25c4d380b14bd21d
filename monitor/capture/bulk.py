"""Replaces bulk that nobody reads by a note of its size."""

import re
from typing import Any, Final

_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{1000,}|[A-Za-z0-9_-]{1000,})={0,2}")
_LEAST: Final = 1_000
_WINDOW: Final = _LEAST // 2
_MOST_NUMBERS: Final = 64


def without_base64(text: str) -> str:
    """A text without pictures, sound and the like of a kilobyte and more."""
    # A run of that length has one of these windows within it: a glance at each tells that most texts have none.
    for place in range(0, len(text) - _WINDOW + 1, _WINDOW) if len(text) >= _LEAST else ():
        window = text[place : place + _WINDOW]
        if " " not in window and "\n" not in window:
            return _BASE64.sub(_note_of, text)
    return text


def note_of_numbers(values: list[Any]) -> str | None:
    """What stands for a long vector; None for other lists."""
    if len(values) > _MOST_NUMBERS and all(isinstance(part, int | float) for part in values):
        return f"[{len(values)} numbers]"
    return None


def _note_of(found: re.Match[str]) -> str:
    return f"[{len(found[0]) * 3 // 4} bytes of base64]"
