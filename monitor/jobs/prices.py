"""Keeps the price table of the ledger in step with the installed (or downloaded) price list."""

import logging
from importlib.metadata import version

from genai_prices import UpdatePrices
from genai_prices.data_snapshot import get_snapshot, set_custom_snapshot

from monitor.ledger.ledger import Ledger
from monitor.ledger.prices import refresh_prices
from monitor.pricing.book import PriceBook

log = logging.getLogger(__name__)


def installed_price_book() -> PriceBook:
    """The price book of the genai-prices data in this process, bundled or downloaded."""
    snapshot = get_snapshot()
    name = f"genai-prices {version('genai-prices')}"
    if snapshot.from_auto_update:
        name = f"{name} updated {snapshot.timestamp:%Y-%m-%d}"
    return PriceBook(snapshot.providers, name)


def refresh_price_list(ledger: Ledger, *, may_download: bool) -> int:
    """Bring the price table up to date and return how many models changed or found a price.

    Args:
        ledger: whose price table it is.
        may_download: whether newer data may be fetched from the internet first; a failed download raises and
            leaves the prices as they are.
    """
    if may_download:
        downloaded = UpdatePrices().fetch()
        if downloaded is not None:
            set_custom_snapshot(downloaded)
    changed = refresh_prices(ledger, installed_price_book())
    if changed:
        log.info("The price list changed for %d models.", changed)
    return changed
