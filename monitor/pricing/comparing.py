"""What two sources of prices say differently of a model. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from monitor.pricing.entries import Place, PriceEntry
from monitor.pricing.explained import Asked, entry_of
from monitor.pricing.steps import ALWAYS
from monitor.pricing.units import REGIONAL

_ELSEWHERE: Final = ("trained", REGIONAL)
"""Most lists have these not with the model, nor fees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One price that is not the same; USD for one of the unit, None where a source has none."""

    provider: str
    model: str
    tier: str
    above_input_tokens: int
    unit: str
    ours: Decimal | None
    theirs: Decimal | None


def differences(
    provider: str, model: str, entries: Sequence[PriceEntry], theirs: Mapping[Place, Decimal], at: datetime
) -> Iterator[Difference]:
    """The prices that differ at a moment, in the order of tier, size and unit.

    What only we have is told for the tiers and sizes of which they say the input or the output.
    """
    asked = {
        (tier, above): Asked(provider=provider, model=model, at=at, tier=tier, input_tokens=max(above, 0) + 1)
        for tier, above, _ in theirs
    }
    ours: dict[Place, Decimal] = {}
    for (tier, above), request in asked.items():
        entry = entry_of(entries, request)
        ours |= {(tier, above, unit): price for unit, price in (entry.unit_prices if entry else {}).items()}
    for place in sorted({*theirs, *(place for place in ours if _is_told(place))}):
        one, other = ours.get(place), theirs.get(place)
        # None and free are the same but to what is counted as unknown; a table that says 0 often means none.
        if one != other and (one or other):
            tier, above, unit = place
            yield Difference(
                provider=provider,
                model=model,
                tier=tier,
                above_input_tokens=above,
                unit=unit,
                ours=one,
                theirs=other,
            )


def _is_told(place: Place) -> bool:
    """Whether a list that has the model would have it too."""
    tier, above, unit = place
    return tier == "default" and above == ALWAYS and ":" not in unit and unit not in _ELSEWHERE
