"""Reads prices and discounts as people write them. Pure."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from monitor.errors import PricingError
from monitor.pricing.figures import exact
from monitor.pricing.steps import unit_price
from monitor.pricing.units import MILLION, is_per_million, is_unit

_NUMBER: Final = r"(\d{1,12}(?:\.\d{1,18})?|\.\d{1,18})"
_AMOUNT: Final = re.compile(rf"\$?{_NUMBER}(?:/(1?k|1?M|1))?")
_PERCENT: Final = re.compile(rf"([+-]?)\s*{_NUMBER}\s*%")
_TIMES: Final = re.compile(rf"x\s*{_NUMBER}|{_NUMBER}\s*x", re.IGNORECASE)
_QUANTITIES: Final[Mapping[str | None, int]] = MappingProxyType(
    {None: 1, "1": 1, "k": 1_000, "1k": 1_000, "M": MILLION, "1M": MILLION}
)
_WHOLE: Final = Decimal(100)


def parse_usd(text: str) -> Decimal:
    """An amount in USD: `2.50`, `$2.50`.

    Raises:
        PricingError: it is none, or has more than 18 digits after the point.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or found[2] is not None:
        raise PricingError(f"{text!r} is no price in USD. Write it as 2.50.")
    return Decimal(found[1])


def per_million(prices: Mapping[str, str | None]) -> dict[str, Decimal]:
    """USD for one of each unit whose price for a million is given; None is not given."""
    return {unit: unit_price(parse_usd(text), MILLION) for unit, text in prices.items() if text is not None}


def per_unit(texts: Iterable[str]) -> dict[str, Decimal]:
    """USD for one of each unit, from `UNIT=USD`; `/1k` and `/1M` behind it say how many cost that much.

    Raises:
        PricingError: something else is written, or a price that people say for a million has no `/1M`.
    """
    found: dict[str, Decimal] = {}
    for text in texts:
        unit, _, amount = (part.strip() for part in text.partition("="))
        price = _AMOUNT.fullmatch(amount)
        if not unit or price is None:
            raise PricingError(f"{text!r} is no price of a unit. Write UNIT=USD, such as tool:web_search=0.01.")
        if not is_unit(unit):
            raise PricingError(f"{unit!r} is no unit that has a price. docs/pricing.md lists the units.")
        if unit in found:
            raise PricingError(f"{unit} is given twice.")
        if is_per_million(unit) and price[2] is None:
            raise PricingError(
                f"{text}: is that for one, or for a million? Write {unit}={amount}/1M for a million of them."
            )
        found[unit] = unit_price(Decimal(price[1]), _QUANTITIES[price[2]])
    return found


def parse_factor(text: str) -> Decimal:
    """The part of the list cost that is paid: `15%` off is 0.85, `0.85x` is 0.85, a margin of `+10%` is 1.10.

    Raises:
        PricingError: it is none of these, or more than all of it is taken off.
    """
    percent, times = _PERCENT.fullmatch(text.strip()), _TIMES.fullmatch(text.strip())
    if times is not None:
        return Decimal(times[1] or times[2])
    if percent is None:
        raise PricingError(f"{text!r} is no discount. Write 15% for 15% off, 0.85x for a factor, +10% for a margin.")
    part = Decimal(percent[2]) / _WHOLE
    if percent[1] == "+":
        return 1 + part
    if part > 1:
        raise PricingError(f"{text} off is more than all of it. From 0% to 100% can be taken off.")
    return 1 - part


def describe_factor(factor: Decimal) -> str:
    """`85% of the list cost (15% off)`."""
    share = _percent(factor)
    if factor == 1:
        return f"{share} of the list cost"
    off = f"{_percent(1 - factor)} off" if factor < 1 else f"a margin of {_percent(factor - 1)}"
    return f"{share} of the list cost ({off})"


def _percent(part: Decimal) -> str:
    return f"{exact(part * _WHOLE)}%"
