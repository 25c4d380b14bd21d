"""Reads amounts and thresholds as people write them."""

from decimal import Decimal, InvalidOperation
from typing import Final

from monitor.errors import ControlError

_PERCENT: Final = 100


def parse_amount(text: str) -> Decimal:
    """Read `100`, `$1,000` or `99.50`.

    Raises:
        ControlError: it is no number.
    """
    try:
        return Decimal(text.strip().removeprefix("$").replace(",", ""))
    except InvalidOperation:
        raise ControlError(f"{text!r} is not an amount; write it like 100 or 99.50.") from None


def parse_threshold(text: str) -> Decimal:
    """Read `80%` or `0.8` as the fraction 0.8.

    Raises:
        ControlError: it is no number.
    """
    number = text.strip()
    try:
        value = Decimal(number.removesuffix("%").strip())
    except InvalidOperation:
        raise ControlError(f"{number!r} is not a threshold; write it like 80% or 0.8.") from None
    return value / _PERCENT if number.endswith("%") else value


def parse_thresholds(text: str) -> tuple[Decimal, ...]:
    """Read `50%, 0.8, 100%` as fractions, ascending and each once.

    Raises:
        ControlError: a part of it is no number.
    """
    return tuple(sorted({parse_threshold(part) for part in text.split(",") if part.strip()}))
