"""The prices of one model at one moment: of genai-prices, corrected by the supplement, then by the user. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from genai_prices import types

from monitor.pricing.own import OwnPrice
from monitor.pricing.steps import ALWAYS, Steps, in_ratio, steps_of, times, with_step
from monitor.pricing.supplement import MultipleRow, Supplement, midnight
from monitor.pricing.units import TOOL_UNITS, UNITS, is_free

FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)
STANDARD: Final = "default"
_CONTEXTS: Final[dict[str, dict[str, str] | None]] = {
    STANDARD: None,
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "batch": {"processing": "batch"},
}
"""How genai-prices calls our tiers. `fast` is the newer name of `priority`."""

_LISTED_UNITS: Final = {unit: (name, per) for unit, (name, per) in (UNITS | TOOL_UNITS).items() if name is not None}

Prices = dict[str, Steps]


class ModelPrices:
    """What one model costs.

    Args:
        model: as genai-prices has it; None where it does not know it.
        has_tiers: whether tiers and batches have prices of their own; a model borrowed from another provider's
            list has not, as in genai-prices.
        supplement: what it says of this model.
        own: what the user says of it, the oldest first.
    """

    def __init__(
        self,
        model: types.ModelInfo | None,
        *,
        has_tiers: bool,
        supplement: Supplement | None,
        own: Sequence[OwnPrice] = (),
    ) -> None:
        """Nothing is computed yet."""
        self._model = model
        self._has_tiers = has_tiers
        self._supplement = supplement
        self._own = own
        self._known: dict[tuple[datetime, str], Prices] = {}
        self.tiers = (*_CONTEXTS, *(tier for tier in self._named if tier not in _CONTEXTS))

    @property
    def turns(self) -> list[datetime]:
        """The moments at which a price may change, the first one ever included."""
        days = {item.start_date for item in self._constraints() if isinstance(item, types.StartDateConstraint)}
        if self._supplement is not None:
            days |= self._supplement.days
        moments = {midnight(day) for day in days} | {moment for row in self._own for moment in row.turns}
        return [FIRST_DAY, *sorted(moment for moment in moments if moment > FIRST_DAY)]

    def at(self, moment: datetime, tier: str) -> Prices | None:
        """All prices of a tier; None where it is not offered, as far as anybody says."""
        if self._model is None and tier not in self._named:
            return None
        prices = self._corrected(moment, tier)
        return None if self._model is None and is_free(prices) else prices

    def listed(self, moment: datetime, tier: str) -> Prices:
        """Those of genai-prices alone."""
        if self._model is None:
            return {}
        found = vars(self._model.get_prices(moment, _CONTEXTS.get(tier) if self._has_tiers else None))
        prices = ((unit, found.get(name), per) for unit, (name, per) in _LISTED_UNITS.items())
        return {unit: steps_of(price, per) for unit, price, per in prices if price is not None}

    @property
    def _named(self) -> list[str]:
        named = {tier for row in self._own for tier in row.tiers}
        return sorted(named if self._supplement is None else named | self._supplement.tiers_named)

    def _corrected(self, moment: datetime, tier: str) -> Prices:
        key = moment, tier
        if key not in self._known:
            self._known[key] = self._correct(moment, tier)
        return self._known[key]

    def _correct(self, moment: datetime, tier: str) -> Prices:
        prices = self.listed(moment, tier) if tier == STANDARD else self._of_tier(moment, tier)
        if self._supplement is not None:
            prices = self._supplemented(self._supplement, prices, moment, tier)
        for own in self._own:
            if tier in own.tiers and own.holds_at(moment):
                for unit, price in own.prices.items():
                    prices[unit] = with_step(prices.get(unit, ()), own.above_input_tokens, price)
        return prices

    def _supplemented(self, supplement: Supplement, prices: Prices, moment: datetime, tier: str) -> Prices:
        for row in supplement.prices:
            if tier in row.tiers and row.holds_at(moment):
                for unit, price in row.unit_prices():
                    prices[unit] = with_step(prices.get(unit, ()), row.above_input_tokens, price)
        for multiple in supplement.multiples:
            if {tier, "*"} & set(multiple.tiers) and multiple.holds_at(moment):
                prices |= self._multiple(multiple, prices, moment)
        return prices

    def _of_tier(self, moment: datetime, tier: str) -> Prices:
        """Those that genai-prices has for the tier; a unit that costs nothing of its own there costs what it does."""
        standard = self._corrected(moment, STANDARD)
        day = self._day_of_ratio(moment, tier)
        part, whole = (self.listed(day or moment, name) for name in (tier, STANDARD))
        own = {unit: steps for unit, steps in part.items() if whole.get(unit) != steps}
        if day is None:
            return standard | own
        scaled = {
            unit: in_ratio(standard[unit], steps, whole[unit]) if unit in whole and unit in standard else steps
            for unit, steps in own.items()
        }
        return standard | scaled

    def _day_of_ratio(self, moment: datetime, tier: str) -> datetime | None:
        """The day from which genai-prices has the tier, where it was there before."""
        rows = () if self._supplement is None else self._supplement.tiers
        if not any(row.tier == tier and row.holds_at(moment) for row in rows) or self._model is None:
            return None
        days = [
            variant.constraint.start_date
            for variant in self._model.price_variants or ()
            if variant.when == _CONTEXTS.get(tier) and isinstance(variant.constraint, types.StartDateConstraint)
        ]
        return midnight(min(days)) if days and moment < midnight(min(days)) else None

    def _multiple(self, row: MultipleRow, prices: Prices, moment: datetime) -> Prices:
        source = prices if row.of_tier is None else self._corrected(moment, row.of_tier)
        if row.where is not None and row.where not in source:
            return {}
        taken = ((unit, source.get(row.of or unit)) for unit in row.units)
        return {unit: times(steps, row.times) for unit, steps in taken if steps is not None}

    def _constraints(self) -> Iterator[object]:
        return iter(()) if self._model is None else constraints_of(self._model)


def constraints_of(model: types.ModelInfo) -> Iterator[object]:
    """What the prices of a model depend on."""
    if not isinstance(model.prices, types.ModelPrice):
        yield from (price.constraint for price in model.prices)
    yield from (variant.constraint for variant in model.price_variants or ())


def bands_of(prices: Prices) -> Iterator[tuple[int, int | None]]:
    """The sizes of prompts between which no price changes: above, and up to."""
    floors = sorted({above for steps in prices.values() for above, _ in steps} | {ALWAYS})
    yield from zip(floors, [*floors[1:], None], strict=True)
