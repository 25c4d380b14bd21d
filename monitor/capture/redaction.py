"""Takes secrets and bulk out of contents before anything of them is written."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

REDACTED: Final = "[redacted]"

_ALWAYS: Final = (
    r"(?<![A-Za-z0-9])(?:sk|ek)[-_][A-Za-z0-9_-]{8,}",
    r"(?i:bearer)\s+[A-Za-z0-9._~+/=-]{8,}",
    r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
)
"""API keys, ephemeral keys, bearer tokens, JSON web tokens."""

# Bounded, for a text without an @ must not be looked at once for each of its letters.
_EMAIL: Final = r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
_CARD: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{1000,}|[A-Za-z0-9_-]{1000,})={0,2}")
_MOST_NUMBERS: Final = 64

_Step = Callable[[str], str]


class Redaction:
    """Replaces what matches by `[redacted]`, and bulk that nobody reads by a note of its size."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """Compile once.

        Args:
            patterns: regular expressions, or `email` or `card`, besides the ones for keys and tokens.
        """
        self._steps = [_step_of(pattern) for pattern in (*_ALWAYS, *patterns)]

    def text(self, text: str) -> str:
        """The text without secrets and bulk."""
        if len(text) >= 1_000:
            text = _BASE64.sub(_note_of, text)
        for step in self._steps:
            text = step(text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value without secrets and bulk, in names, texts and numbers.

        Raises:
            RecursionError: it is nested too deeply.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(part) for name, part in value.items()}
        if isinstance(value, list):
            if len(value) > _MOST_NUMBERS and all(isinstance(part, int | float) for part in value):
                return f"[{len(value)} numbers]"
            return [self.value(part) for part in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            shown = self.text(text)
            return value if shown == text else shown
        return value


def _step_of(pattern: str) -> _Step:
    if pattern == "card":
        return _without_cards
    expression = re.compile(_EMAIL if pattern == "email" else pattern)
    return lambda text: expression.sub(lambda _: REDACTED, text)


def _without_cards(text: str) -> str:
    return _CARD.sub(lambda found: REDACTED if _is_card(found[0]) else found[0], text)


def _is_card(text: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1): most long numbers are no cards."""
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = (sum(divmod(digit * 2, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _note_of(found: re.Match[str]) -> str:
    return f"[{len(found[0]) * 3 // 4} bytes of base64]"
