"""What is left out of a text that broke off."""

import string
from typing import Final

_WORD: Final = string.ascii_letters + string.digits + string.punctuation
_NUMBER: Final = string.digits + " -"


def without_last_word(text: str) -> str:
    """The text without what may be the first half of a secret: no key, address or card number goes on behind it."""
    return text.rstrip(_WORD).rstrip(_NUMBER)
