"""The price list that is installed here, and what a record costs by it. Loading it takes a fifth of a second."""

import functools
from collections.abc import Mapping
from importlib.metadata import version

from genai_prices.data_snapshot import get_snapshot

from monitor.pricing.book import Match, PriceBook
from monitor.pricing.compute import price
from monitor.pricing.figures import Priced
from monitor.records import Record

_MOST_MODELS = 1_024


def installed_price_book(deployments: Mapping[str, str] | None = None) -> PriceBook:
    """The price book of the genai-prices data in this process, bundled or downloaded.

    Args:
        deployments: models by the name of their deployment, as the setting has them.
    """
    snapshot = get_snapshot()
    name = f"genai-prices {version('genai-prices')}"
    if snapshot.from_auto_update:
        name = f"{name} updated {snapshot.timestamp:%Y-%m-%d}"
    return PriceBook(snapshot.providers, name, deployments)


class Pricer:
    """Prices records by one book; remembers the models it was asked about."""

    def __init__(self, book: PriceBook) -> None:
        """Nothing is looked up yet."""
        self._match = functools.lru_cache(maxsize=_MOST_MODELS)(book.match)

    def __call__(self, record: Record) -> Priced:
        """The list cost of a record, by the model that answered, else the one that was asked."""
        model = record.request_model if record.response_model is None else record.response_model
        match: Match | None = None if model is None else self._match(record.provider_name, model)
        return price(record, match.entries if match else ())
