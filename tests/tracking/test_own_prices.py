"""A program that tells its own spend knows what people say of prices, without opening a store."""

import stat
from decimal import Decimal
from pathlib import Path

import monitor
from monitor.capture.trackers import tell, tell_end, trackers_of_request
from monitor.home import Home
from monitor.jobs.publishing import publish_prices
from monitor.pricing.own import OwnPrices
from monitor.settings import Settings
from monitor.spool.format import encode_facts
from tests.factories import make_record, make_usage
from tests.pricing.own_rows import own_of, own_price


def _cost(home: Path) -> Decimal | None:
    usage = make_usage(input_tokens=1_000_000, output_tokens=0)
    with monitor.track(settings=Settings(home=home)) as spend:
        trackers = trackers_of_request()
        tell(trackers, encode_facts(make_record(usage=usage)))
        tell_end(trackers)
    return spend.list_cost


def test_a_block_counts_by_own_prices(tmp_path: Path) -> None:
    """From when they are written down; only their owner can read them."""
    path = Home(tmp_path).own_prices
    before = _cost(tmp_path)
    publish_prices(path, own_of(own_price("gpt-4o", input="2")))

    assert (before, _cost(tmp_path)) == (Decimal("2.5"), Decimal(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_taken_back_counts_no_longer(tmp_path: Path) -> None:
    """And where nothing was ever said, there is no file."""
    path = Home(tmp_path).own_prices
    publish_prices(path, OwnPrices())
    was_there = path.exists()
    publish_prices(path, own_of(own_price("gpt-4o", input="2")))
    publish_prices(path, OwnPrices())

    assert (was_there, _cost(tmp_path)) == (False, Decimal("2.5"))


def test_a_file_that_cannot_be_read_costs_no_figure(tmp_path: Path) -> None:
    """The lists hold, and the log says so."""
    Home(tmp_path).own_prices.write_text("{")

    assert _cost(tmp_path) == Decimal("2.5")
