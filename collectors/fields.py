"""Reads the numbers of a row: what is none is refused with its value, never guessed."""

import math
from datetime import timedelta
from typing import Final

from collectors.material import UnreadableError

MOST: Final = 10**12
"""More of anything than a request can have; the ledger takes such a number for nonsense too."""


def count_of(name: str, value: object) -> int:
    """A whole number from 0, as a number or as text; `472.0` is one too.

    Raises:
        UnreadableError: it is something else.
    """
    if type(value) is int:
        found = value
    elif isinstance(value, str) and value.isdecimal() and value.isascii():
        found = int(value)
    else:
        number = _number(name, value)
        if number != int(number):
            raise UnreadableError(f"{name} is {value!r}, which is not a whole number")
        found = int(number)
    if not 0 <= found <= MOST:
        raise UnreadableError(f"{name} is {value!r}; it must be from 0 to {MOST:,}")
    return found


def span_of(name: str, value: object, *, unit: timedelta) -> timedelta:
    """A time from the start, in units of the file.

    Raises:
        UnreadableError: it is no number, is negative, or is longer than there is time.
    """
    number = _number(name, value)
    if number < 0:
        raise UnreadableError(f"{name} is {value!r}; it must not be negative")
    try:
        return number * unit
    except OverflowError:
        raise UnreadableError(f"{name} is {value!r}, which is longer than there is time") from None


def text_of(value: str) -> str | None:
    """The text without the blanks around it; None where nothing is left."""
    return value.strip() or None


def _number(name: str, value: object) -> float:
    if value is None or value == "":
        raise UnreadableError(f"{name} is empty")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnreadableError(f"{name} is {value!r}, which is not a number")
    try:
        # An underscore is a matter of Python, not of files.
        found = float("_" if isinstance(value, str) and "_" in value else value)
    except (ValueError, OverflowError):
        raise UnreadableError(f"{name} is {value!r}, which is not a number") from None
    if not math.isfinite(found):
        raise UnreadableError(f"{name} is {value!r}, which is not a number")
    return found
