"""Dated price entries, and how one model of genai-prices becomes a list of them. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from genai_prices import types

_QUANTUM: Final = Decimal("1E-18")
_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTEXTS: Final[Sequence[tuple[str, bool, dict[str, str] | None]]] = (
    ("default", False, None),
    ("flex", False, {"service_tier": "flex"}),
    ("priority", False, {"service_tier": "priority"}),
    ("default", True, {"processing": "batch"}),
)
"""Service tier, whether a batch, and how genai-prices calls it. `fast` is the newer name of `priority`."""

UNITS: Final = {
    "input": ("input_mtok", 1_000_000),
    "cache_read": ("cache_read_mtok", 1_000_000),
    "cache_creation": ("cache_write_mtok", 1_000_000),
    "output": ("output_mtok", 1_000_000),
    "reasoning": ("output_reasoning_mtok", 1_000_000),
    "input_audio": ("input_audio_mtok", 1_000_000),
    "output_audio": ("output_audio_mtok", 1_000_000),
    "input_image": ("input_image_mtok", 1_000_000),
    "output_image": ("output_image_mtok", 1_000_000),
    "audio_second": ("audio_hours", 3_600),
    "request": ("requests_kcount", 1_000),
}
"""Our unit, genai-prices' name of its price, and how many of ours make the quantity that price is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """What one unit costs in USD, for one model, tier, span of time and size of prompt.

    Attributes:
        sku_price_id: changes when any figure of the entry changes.
        price_key: provider and model as the price list calls them, `openai/gpt-4o`.
        service_tier: default, flex or priority.
        above_input_tokens: the entry holds for requests with more input tokens than this (-1: any).
        upto_input_tokens: and with at most this many; None is no limit.
        valid_from: first moment, aware UTC.
        valid_to: first moment after it; None is still valid.
        unit_prices: USD for one token, second or request, by the keys of `UNITS`; a missing one has no own price.
        price_list: which list it stands in.
    """

    sku_price_id: str
    price_key: str
    service_tier: str
    is_batch: bool
    above_input_tokens: int
    upto_input_tokens: int | None
    valid_from: datetime
    valid_to: datetime | None
    unit_prices: dict[str, Decimal]
    price_list: str


def entries_of(model: types.ModelInfo, *, price_key: str, has_tiers: bool, price_list: str) -> list[PriceEntry]:
    """All entries of one model; none overlap.

    Args:
        model: as genai-prices has it.
        price_key: provider and model.
        has_tiers: whether tiers and batches have prices of their own; a model borrowed from another provider's
            list has not, as in genai-prices.
        price_list: name and version of the list.
    """
    found = []
    for tier, is_batch, context in _CONTEXTS:
        for start, end, prices in _spans(model, context if has_tiers else None):
            for above, upto, unit_prices in _bands(prices):
                facts = (price_key, tier, is_batch, above, upto, start, sorted(unit_prices.items()))
                found.append(
                    PriceEntry(
                        sku_price_id=f"{price_key}#{hashlib.sha256(repr(facts).encode()).hexdigest()[:8]}",
                        price_key=price_key,
                        service_tier=tier,
                        is_batch=is_batch,
                        above_input_tokens=above,
                        upto_input_tokens=upto,
                        valid_from=start,
                        valid_to=end,
                        unit_prices=unit_prices,
                        price_list=price_list,
                    )
                )
    return found


def is_priced_by_time_of_day(model: types.ModelInfo) -> bool:
    """Whether a price holds only at some hours, which entries cannot say yet; such a model stays unpriced."""
    return any(isinstance(constraint, types.TimeOfDateConstraint) for constraint in _constraints(model))


def is_priced_by_other_units(model: types.ModelInfo) -> bool:
    """Whether all its prices are for units that entries do not have, such as characters: a cost would be unknown."""
    standard = [model.prices] if isinstance(model.prices, types.ModelPrice) else [item.prices for item in model.prices]
    names = {name for prices in standard for name, price in vars(prices).items() if price is not None}
    return bool(names) and names.isdisjoint(name for name, _ in UNITS.values())


def _constraints(model: types.ModelInfo) -> Iterator[object]:
    if not isinstance(model.prices, types.ModelPrice):
        yield from (price.constraint for price in model.prices)
    yield from (variant.constraint for variant in model.price_variants or ())


def _spans(
    model: types.ModelInfo, context: dict[str, str] | None
) -> Iterator[tuple[datetime, datetime | None, types.ModelPrice]]:
    days = sorted({item.start_date for item in _constraints(model) if isinstance(item, types.StartDateConstraint)})
    starts = [_FIRST_DAY, *(_midnight(day) for day in days)]
    spans: list[tuple[datetime, types.ModelPrice]] = []
    for start in starts:
        prices = model.get_prices(start, context)
        if not spans or spans[-1][1] != prices:
            spans.append((start, prices))
    ends = [start for start, _ in spans[1:]]
    for (start, prices), end in zip(spans, [*ends, None], strict=True):
        yield start, end, prices


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _bands(prices: types.ModelPrice) -> Iterator[tuple[int, int | None, dict[str, Decimal]]]:
    own = {unit: (getattr(prices, name), per) for unit, (name, per) in UNITS.items()}
    steps = sorted(
        {tier.start for price, _ in own.values() if isinstance(price, types.TieredPrices) for tier in price.tiers}
    )
    floors = [-1, *steps]
    for above, upto in zip(floors, [*steps, None], strict=True):
        yield (
            above,
            upto,
            {unit: _unit_price(price, per, above) for unit, (price, per) in own.items() if price is not None},
        )


def _unit_price(price: Decimal | types.TieredPrices, per: int, above: int) -> Decimal:
    if isinstance(price, types.TieredPrices):
        # A step holds for more tokens than its start: a cliff, all tokens of the request pay the higher price.
        reached = [tier.price for tier in price.tiers if above >= tier.start]
        price = reached[-1] if reached else price.base
    return (price / per).quantize(_QUANTUM)
