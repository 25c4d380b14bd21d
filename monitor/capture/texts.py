"""Text that can be stored, whatever it was given as."""

from typing import Final

_LONGEST: Final = 1024


def storable(value: object) -> str:
    """A value as text that can be stored: file names and variables may hold bytes that are no text."""
    return str(value).encode("utf-8", "replace").decode("utf-8")[:_LONGEST]


def storable_or_none(value: object) -> str | None:
    """The same; None stays None."""
    return None if value is None else storable(value)
