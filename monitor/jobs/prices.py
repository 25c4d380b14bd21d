"""Keeps the price table of the ledger in step with the installed (or downloaded) price list."""

import logging
from collections.abc import Mapping

from genai_prices import UpdatePrices
from genai_prices.data_snapshot import set_custom_snapshot

from monitor.ledger.ledger import Ledger
from monitor.ledger.prices import refresh_prices
from monitor.pricing.installed import installed_price_book

log = logging.getLogger(__name__)


def refresh_price_list(ledger: Ledger, *, may_download: bool, deployments: Mapping[str, str] | None = None) -> int:
    """Bring the price table up to date and return how many models changed or found a price.

    Args:
        ledger: whose price table it is.
        may_download: whether newer data may be fetched from the internet first; a failed download raises and
            leaves the prices as they are.
        deployments: models by the name of their deployment, as the setting has them.
    """
    if may_download:
        downloaded = UpdatePrices().fetch()
        if downloaded is not None:
            set_custom_snapshot(downloaded)
    changed = refresh_prices(ledger, installed_price_book(deployments))
    if changed:
        log.info("The price list changed for %d models.", changed)
    return changed
