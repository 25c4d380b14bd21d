"""The price list that is installed here, and what a record costs by it. Loading it takes a fifth of a second."""

import functools
import logging
import threading
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from genai_prices.data_snapshot import get_snapshot

from monitor.pricing.book import PriceBook, provider_id
from monitor.pricing.compute import price
from monitor.pricing.contracted import at_discount, discount_of
from monitor.pricing.entries import PriceEntry
from monitor.pricing.figures import Priced
from monitor.pricing.own import OwnPrices
from monitor.pricing.sessions import CONTAINER, CREATION, Sessions, use_of
from monitor.pricing.supplement import Supplement, read_supplement
from monitor.records import Record

log = logging.getLogger(__name__)

_MOST_MODELS: Final = 1_024
_MOST_CONTAINERS: Final = 10_000


def installed_price_book(deployments: Mapping[str, str] | None = None, own: OwnPrices | None = None) -> PriceBook:
    """The price book of the genai-prices data in this process, bundled or downloaded.

    Args:
        deployments: models by the name of their deployment, as the setting has them.
        own: what people say of prices.
    """
    snapshot = get_snapshot()
    name = f"genai-prices {version('genai-prices')}"
    if snapshot.from_auto_update:
        name = f"{name} updated {snapshot.timestamp:%Y-%m-%d}"
    return PriceBook(snapshot.providers, name, deployments, installed_supplement(), own)


def published_prices(path: Path) -> OwnPrices:
    """What people say of prices, as a server or a command wrote it down; nothing where that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=OwnPrices)
    except FileNotFoundError:
        return OwnPrices()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("Own prices are not used here, for %s cannot be read: %s.", path, error)
        return OwnPrices()


@functools.cache
def installed_supplement() -> Supplement:
    """Our own prices, as they came with this package."""
    return read_supplement(files("monitor.pricing").joinpath("supplement.toml").read_text("utf-8"))


class Pricer:
    """Prices records by one book; remembers the models it was asked about, and the sessions of containers.

    The same record costs the same whenever it is asked about. It may be used by several threads.
    """

    def __init__(self, book: PriceBook) -> None:
        """Nothing is looked up yet."""
        self._own = book.own
        self._match = functools.lru_cache(maxsize=_MOST_MODELS)(book.match)
        self._sessions = Sessions(most=_MOST_CONTAINERS)
        # Asked by who counts what is spent, also out of a garbage collection in the middle of this.
        self._lock = threading.RLock()

    def __call__(self, record: Record) -> Priced:
        """What a record costs, by the model that answered, else the one that was asked."""
        model = record.request_model if record.response_model is None else record.response_model
        entries = self._entries(record, CONTAINER if model is None and record.operation_name == CREATION else model)
        priced = price(record, entries, self._entries(record, record.tool_model), self._begun_by(record))
        return at_discount(priced, discount_of(self._own, provider_id(record.provider_name), model, record))

    def _begun_by(self, record: Record) -> Mapping[str, int] | None:
        use = use_of(record)
        if use is None:
            return None
        with self._lock:
            if not use.is_counted:
                self._sessions.let_go(use)
            return self._sessions.begun_by(use)

    def _entries(self, record: Record, model: str | None) -> tuple[PriceEntry, ...]:
        return () if model is None else self._match(record.provider_name, model).entries
