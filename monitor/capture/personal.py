"""What may be taken out of contents by a name: e-mail addresses and card numbers."""

import re
from typing import Final

from monitor.capture.secret_forms import Step, replacing
from monitor.capture.secret_names import REDACTED

# Bounded, for a text without an @ must not be looked at once for each of its letters.
_EMAIL: Final = r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
_CARD: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_FEWEST_DIGITS: Final = 13
_NO_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))


def _without_cards(text: str) -> str:
    if text.isascii() and len(text.encode().translate(None, _NO_DIGITS)) < _FEWEST_DIGITS:
        return text
    return _CARD.sub(lambda found: REDACTED if _is_card(found[0]) else found[0], text)


def _is_card(text: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1): most long numbers are no cards."""
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = (sum(divmod(digit * 2, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


PRESETS: Final = {
    "email": Step(("@",), replacing(_EMAIL)),
    "card": Step((), _without_cards, sees_numbers=True),
}
"""What a setting may name in place of an expression."""
