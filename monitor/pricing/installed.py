"""The price list that is installed here, and what a record costs by it. Loading it takes a fifth of a second."""

import functools
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Final

from genai_prices.data_snapshot import get_snapshot

from monitor.pricing.book import PriceBook
from monitor.pricing.compute import price
from monitor.pricing.entries import PriceEntry
from monitor.pricing.figures import Priced
from monitor.pricing.supplement import Supplement, read_supplement
from monitor.records import Record

_MOST_MODELS: Final = 1_024


def installed_price_book(deployments: Mapping[str, str] | None = None) -> PriceBook:
    """The price book of the genai-prices data in this process, bundled or downloaded.

    Args:
        deployments: models by the name of their deployment, as the setting has them.
    """
    snapshot = get_snapshot()
    name = f"genai-prices {version('genai-prices')}"
    if snapshot.from_auto_update:
        name = f"{name} updated {snapshot.timestamp:%Y-%m-%d}"
    return PriceBook(snapshot.providers, name, deployments, installed_supplement())


@functools.cache
def installed_supplement() -> Supplement:
    """Our own prices, as they came with this package."""
    return read_supplement(files("monitor.pricing").joinpath("supplement.toml").read_text("utf-8"))


class Pricer:
    """Prices records by one book; remembers the models it was asked about."""

    def __init__(self, book: PriceBook) -> None:
        """Nothing is looked up yet."""
        self._match = functools.lru_cache(maxsize=_MOST_MODELS)(book.match)

    def __call__(self, record: Record) -> Priced:
        """The list cost of a record, by the model that answered, else the one that was asked."""
        model = record.request_model if record.response_model is None else record.response_model
        return price(record, self._entries(record, model), self._entries(record, record.tool_model))

    def _entries(self, record: Record, model: str | None) -> tuple[PriceEntry, ...]:
        return () if model is None else self._match(record.provider_name, model).entries
