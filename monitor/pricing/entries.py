"""Dated price entries, and how the prices of one model become a list of them. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from genai_prices import types

from monitor.pricing.listed import STANDARD, ModelPrices, Prices, bands_of, constraints_of
from monitor.pricing.own import OWN_LIST, OwnPrice
from monitor.pricing.steps import price_at
from monitor.pricing.supplement import Supplement
from monitor.pricing.units import UNITS

BATCH: Final = "batch"
_QUANTUM: Final = Decimal("1E-18")
"""The digits of a price in the ledger."""


Place = tuple[str, int, str]
"""Tier (one of `TIERS`), the input tokens above which it holds (-1: any), and the unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """What one unit costs in USD, for one model, tier, span of time and size of prompt.

    Attributes:
        sku_price_id: changes when any figure of the entry changes.
        price_key: provider and model as the price list calls them, `openai/gpt-4o`.
        service_tier: default, flex, priority or ultrafast.
        above_input_tokens: the entry holds for requests with more input tokens than this (-1: any).
        upto_input_tokens: and with at most this many; None is no limit.
        valid_from: first moment, aware UTC.
        valid_to: first moment after it; None is still valid.
        unit_prices: USD for one of each unit, by the keys of `UNITS` and by units with a variant (`KINDS`); a
            missing one has no own price.
        price_list: which lists it stands in.
        own_units: the units whose price here is another than in the lists, because of what the user says.
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
    own_units: tuple[str, ...] = ()

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is valid then."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)

    @property
    def tier(self) -> str:
        """One of `TIERS`: a batch is one."""
        return BATCH if self.is_batch else self.service_tier


def entry_at(
    entries: Iterable[PriceEntry], moment: datetime, *, tier: str | None, is_batch: bool, input_tokens: int
) -> PriceEntry | None:
    """The one that holds for a request; entries never overlap.

    Args:
        entries: those of a model.
        moment: when the request began.
        tier: as `service_tier` of entries has it.
        is_batch: whether it is a line of a batch.
        input_tokens: the size of its prompt.
    """
    for entry in entries:
        if (
            (entry.service_tier, entry.is_batch) == (tier, is_batch)
            and entry.above_input_tokens < input_tokens
            and (entry.upto_input_tokens is None or input_tokens <= entry.upto_input_tokens)
            and entry.holds_at(moment)
        ):
            return entry
    return None


def entries_of(
    model: types.ModelInfo | None,
    *,
    price_key: str,
    has_tiers: bool,
    price_list: str,
    supplement: Supplement | None = None,
    own: Sequence[OwnPrice] = (),
) -> list[PriceEntry]:
    """All entries of one model; none overlap.

    Args:
        model: as genai-prices has it; None where it does not know it.
        price_key: provider and model.
        has_tiers: whether tiers and batches have prices of their own; a model borrowed from another provider's
            list has not, as in genai-prices.
        price_list: name and version of the list.
        supplement: what it says of this model.
        own: what the user says of it, the oldest first.
    """
    found = []
    model_prices = ModelPrices(model, has_tiers=has_tiers, supplement=supplement, own=own)
    listed_alone = ModelPrices(model, has_tiers=has_tiers, supplement=supplement) if own else model_prices
    for name in model_prices.tiers:
        tier, is_batch = (STANDARD, True) if name == BATCH else (name, False)
        for start, end, prices in _spans(model_prices, name):
            alone = listed_alone.at(start, name) or {}
            lists = _lists(price_list, model_prices.listed(start, name), alone, supplement)
            own_units = tuple(sorted(unit for unit in prices | alone if prices.get(unit) != alone.get(unit)))
            if own_units:
                lists = f"{lists} and {OWN_LIST}" if lists else OWN_LIST
            for above, upto in bands_of(prices):
                unit_prices = {unit: price_at(steps, above) for unit, steps in prices.items()}
                found.append(
                    PriceEntry(
                        sku_price_id="",
                        price_key=price_key,
                        service_tier=tier,
                        is_batch=is_batch,
                        above_input_tokens=above,
                        upto_input_tokens=upto,
                        valid_from=start,
                        valid_to=end,
                        unit_prices=unit_prices,
                        price_list=lists,
                        own_units=own_units,
                    )
                )
    return [identified(entry) for entry in found]


def identified(entry: PriceEntry) -> PriceEntry:
    """The same entry with its id, the same in every process and version; when it ends is no part of it."""
    prices = sorted((unit, price.quantize(_QUANTUM)) for unit, price in entry.unit_prices.items())
    size = entry.above_input_tokens, entry.upto_input_tokens
    facts = (entry.price_key, entry.service_tier, entry.is_batch, *size, entry.valid_from, prices)
    return replace(entry, sku_price_id=f"{entry.price_key}#{hashlib.sha256(repr(facts).encode()).hexdigest()[:8]}")


def is_priced_by_time_of_day(model: types.ModelInfo) -> bool:
    """Whether a price holds only at some hours, which entries cannot say yet; such a model stays unpriced."""
    return any(isinstance(constraint, types.TimeOfDateConstraint) for constraint in constraints_of(model))


def is_priced_by_other_units(model: types.ModelInfo) -> bool:
    """Whether all its prices are for units that entries do not have, such as pages: a cost would be unknown."""
    standard = [model.prices] if isinstance(model.prices, types.ModelPrice) else [item.prices for item in model.prices]
    names = {name for prices in standard for name, price in vars(prices).items() if price is not None}
    return bool(names) and names.isdisjoint(name for name, _ in UNITS.values())


def _spans(model: ModelPrices, tier: str) -> Iterator[tuple[datetime, datetime | None, Prices]]:
    spans: list[tuple[datetime, Prices | None]] = []
    for start in model.turns:
        prices = model.at(start, tier)
        if not spans or spans[-1][1] != prices:
            spans.append((start, prices))
    ends = [start for start, _ in spans[1:]]
    for (start, prices), end in zip(spans, [*ends, None], strict=True):
        if prices is not None:
            yield start, end, prices


def _lists(price_list: str, listed: Prices, prices: Prices, supplement: Supplement | None) -> str:
    if supplement is None or prices == listed:
        return price_list if listed else ""
    return f"{price_list} and {supplement.name}" if listed else supplement.name
