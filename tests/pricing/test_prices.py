"""Every published price, through the Python computation."""

from collections.abc import Iterator

import pytest

from monitor.pricing.installed import Pricer
from tests.pricing.price_table import TABLES, Golden, goldens
from tests.world import price_book

_PRICER = Pricer(price_book())


def _faults(cases: list[Golden]) -> Iterator[str]:
    for golden in cases:
        found = _PRICER(golden.record)
        # The price of a second has 18 digits: that of a minute is right to 16 of them.
        if found.state != "priced" or found.list_cost is None or round(found.list_cost, 15) != golden.usd:
            yield f"{golden.name}: {found.state} {found.list_cost}, not {golden.usd}"


@pytest.mark.parametrize("table", TABLES)
def test_published_prices_are_charged(table: str) -> None:
    """Each figure of each model, tier and day that is known."""
    cases = goldens(table)

    assert cases != []
    assert list(_faults(cases)) == []
