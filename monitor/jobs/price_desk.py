"""The prices that hold here: those of the lists and what people say of them, taken up by drain and ledger together."""

import functools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from monitor.control.store import Control
from monitor.errors import PricingError
from monitor.health import Health
from monitor.jobs.publishing import publish_prices
from monitor.ledger.ledger import Ledger
from monitor.ledger.prices import refresh_prices
from monitor.pricing.book import PriceBook
from monitor.pricing.installed import installed_price_book
from monitor.pricing.proposals import proposal

_MOST_PROPOSALS: Final = 1_024


class PriceDesk:
    """Knows the price book of this moment; one for each house.

    Args:
        ledger: whose price table follows the book.
        control: where people's own prices stand.
        deployments: models by the name of their deployment, as the setting has them.
        health: where changed prices are counted.
        published: the file in which programs find people's prices that tell their own spend.
    """

    def __init__(
        self, ledger: Ledger, control: Control, deployments: Mapping[str, str], health: Health, published: Path
    ) -> None:
        """Nothing is read yet."""
        self._ledger = ledger
        self._control = control
        self._deployments = deployments
        self._health = health
        self._published = published
        self._lock = threading.Lock()
        self.propose = functools.lru_cache(maxsize=_MOST_PROPOSALS)(self._proposed)

    def book(self) -> PriceBook:
        """The book with what people have said so far."""
        return installed_price_book(self._deployments, self._control.own_prices())

    def _proposed(self, provider_name: str, model: str) -> str:
        """What to type where a model has no price."""
        return proposal(self.book(), provider_name, model)

    def take_up(self, use: Callable[[PriceBook], None]) -> int:
        """Let the book hold from now on; returns for how many models something changed.

        Args:
            use: told the book first: a model that comes in meanwhile must not be matched by the one before.

        Raises:
            PricingError: it holds, but programs cannot be told.
        """
        # One at a time, or what was said first could be stored last.
        with self._lock:
            book = self.book()
            use(book)
            self.propose.cache_clear()
            changed = refresh_prices(self._ledger, book, self._health)
            try:
                publish_prices(self._published, book.own)
            except OSError as error:
                raise PricingError(
                    f"The prices hold here, but programs that count their own spend cannot be told of them: {error}. "
                    "Mend that: it is tried again when the server starts, and each day."
                ) from error
            return changed
