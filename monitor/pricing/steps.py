"""Prices that change with the size of the prompt. Pure."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final

from genai_prices import types

Steps = tuple[tuple[int, Decimal], ...]
"""USD for one unit, each with the input tokens above which it holds: a cliff, all tokens pay it. The first is at -1."""

PER: Final = {"each": 1, "per_thousand": 1_000, "per_million": 1_000_000}
"""How files say for how many of a unit a price is."""

ALWAYS: Final = -1
_QUANTUM: Final = Decimal("1E-18")
_EXACT: Final = Context(prec=76, rounding=ROUND_HALF_UP)


def steps_of(price: Decimal | types.TieredPrices, per: int) -> Steps:
    """A price of genai-prices for `per` units."""
    if isinstance(price, types.TieredPrices):
        pairs = [(ALWAYS, price.base), *((tier.start, tier.price) for tier in price.tiers)]
    else:
        pairs = [(ALWAYS, price)]
    return _tidy((above, unit_price(usd, per)) for above, usd in pairs)


def unit_price(usd: Decimal, per: int) -> Decimal:
    """What one unit costs where `per` of them cost that much."""
    return (usd / per).quantize(_QUANTUM)


def price_at(steps: Steps, above: int) -> Decimal:
    """The price for a prompt just larger than that."""
    return [price for start, price in steps if start <= above][-1]


def with_step(steps: Steps, above: int, price: Decimal) -> Steps:
    """The same, but for the price of prompts larger than that; all of it where that is any prompt."""
    return ((ALWAYS, price),) if above == ALWAYS else _tidy([*steps, (above, price)])


def times(steps: Steps, factor: Decimal) -> Steps:
    """Each price that many times."""
    return _tidy((above, _rounded(Fraction(price) * Fraction(factor))) for above, price in steps)


def in_ratio(steps: Steps, part: Steps, whole: Steps) -> Steps:
    """Prices that stand to `steps` as `part` stands to `whole`."""
    starts = sorted({above for prices in (steps, part, whole) for above, _ in prices})
    return _tidy((above, _scaled(*(price_at(prices, above) for prices in (steps, part, whole)))) for above in starts)


def _scaled(price: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return _rounded(Fraction(price) * Fraction(part) / Fraction(whole)) if whole else part


def _rounded(value: Fraction) -> Decimal:
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator)).quantize(_QUANTUM)


def _tidy(pairs: Iterable[tuple[int, Decimal]]) -> Steps:
    """In order, each start once (the last wins), without steps that change nothing."""
    found: list[tuple[int, Decimal]] = []
    for above, price in sorted(dict(pairs).items()):
        if not found or found[-1][1] != price:
            found.append((above, price))
    return tuple(found)
