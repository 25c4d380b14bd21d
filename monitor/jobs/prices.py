"""Keeps the price table of the ledger in step with the installed (or downloaded) price list."""

from collections.abc import Callable
from typing import Final

import httpx2
from genai_prices import UpdatePrices
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.update_prices import DEFAULT_UPDATE_URL

from monitor.errors import PricingError

_EXPECTED: Final = "openai"
"""A list without models of this provider is none."""


def refresh_price_list(take_up: Callable[[], int], *, may_download: bool, url: str = DEFAULT_UPDATE_URL) -> int:
    """Bring the price table up to date and return of how many models the prices changed.

    Args:
        take_up: lets the price book hold from now on, and tells for how many models something changed.
        may_download: whether newer data may be fetched from the internet first.
        url: where they are.

    Raises:
        PricingError: the data could not be had; the prices stay as they are.
    """
    if may_download:
        set_custom_snapshot(_downloaded(url))
    return take_up()


def _downloaded(url: str) -> DataSnapshot:
    try:
        found = UpdatePrices(url=url).fetch()
    except (httpx2.HTTPError, ValueError) as error:
        raise PricingError(
            f"Newer prices could not be downloaded ({_shortened(error)}); those there are stay. It is tried again; "
            "where the network does not allow it, set MONITOR_PRICE_DOWNLOAD=false."
        ) from error
    if found is None or not any(provider.id == _EXPECTED and provider.models for provider in found.providers):
        raise PricingError("What was downloaded is no price list; the prices there are stay.")
    return found


def _shortened(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
