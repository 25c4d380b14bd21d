"""Where prices are looked up: the ledger's own tables, or temporary ones that say what other prices would come to."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTables:
    """Names of tables with the columns of those that they are named after."""

    prices: str
    price_matches: str
    discount_factors: str
    discount_matches: str


LEDGER: Final = PriceTables(
    prices="prices",
    price_matches="price_matches",
    discount_factors="discount_factors",
    discount_matches="discount_matches",
)
ASIDE: Final = PriceTables(
    prices="prices_aside",
    price_matches="price_matches_aside",
    discount_factors="discount_factors_aside",
    discount_matches="discount_matches_aside",
)
"""Temporary tables, made and filled by `asides`."""
