"""What the made-up requests would cost at list prices, close enough to size the budgets of the demo."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from genai_prices.data_snapshot import get_snapshot

from monitor.demo.draws import Draw
from monitor.pricing.book import PriceBook
from monitor.pricing.entries import PriceEntry

_PICO: Final = 10**12
_UNITS: Final = ("input", "cache_read", "cache_creation", "output")

_Prices = tuple[int, int, int, int]


class Rates:
    """Prices requests at the prices of one moment; sums are whole picodollars, so that adding is exact and quick."""

    def __init__(self, at: datetime) -> None:
        """Use the prices that hold at `at`."""
        self._at = at
        self._book = PriceBook(get_snapshot().providers, "demo")
        self._known: dict[tuple[str, str], list[tuple[int, _Prices]]] = {}

    def picodollars(self, draw: Draw, tier: str | None) -> int:
        """The list cost of one request that was answered; 0 for a model without a price."""
        key = draw.model_name, tier or "default"
        bands = self._known.get(key)
        if bands is None:
            bands = self._known[key] = self._bands(*key)
        for above, (fresh, cached, written, output) in bands:
            if draw.input_tokens > above:
                rest = draw.input_tokens - draw.cached_tokens - draw.written_tokens
                return (
                    rest * fresh
                    + draw.cached_tokens * cached
                    + draw.written_tokens * written
                    + draw.answer.output_tokens * output
                )
        return 0

    def _bands(self, model: str, tier: str) -> list[tuple[int, _Prices]]:
        entries = self._book.match("openai", model).entries
        valid = [
            entry
            for entry in entries
            if not entry.is_batch
            and entry.service_tier == tier
            and entry.valid_from <= self._at
            and (entry.valid_to is None or self._at < entry.valid_to)
        ]
        return sorted(((entry.above_input_tokens, _prices(entry)) for entry in valid), reverse=True)


def dollars(picodollars: int) -> Decimal:
    """The same amount in USD."""
    return Decimal(picodollars) / _PICO


def _prices(entry: PriceEntry) -> _Prices:
    own = entry.unit_prices
    # What has no price of its own is paid as input.
    fresh, cached, written, output = (own.get(unit, own.get("input", Decimal(0))) * _PICO for unit in _UNITS)
    return int(fresh), int(cached), int(written), int(output)
