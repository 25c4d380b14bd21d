"""Makes text from outside fit to be stored and shown."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

MAX_DETAIL: Final = 1024

_MASK: Final = "[hidden]"
_KEY_SHAPES: Final = re.compile(r"\b(?:sk-|whsec_|xox[a-z]-|ghp_)[A-Za-z0-9_+/=-]{8,}|(?i:\bbearer\s+)\S+")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """The text on one line, cut to 1 KB, without the secrets, the usual shapes of keys and invisible characters."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _MASK).replace(quote(secret, safe=""), _MASK)
    text = " ".join(_KEY_SHAPES.sub(_MASK, text).split())
    # Controls and marks that turn the direction of writing could forge what a person reads.
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")[:MAX_DETAIL]
