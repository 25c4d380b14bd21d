"""The price table of the ledger, when the list changes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.ledger.prices import refresh_prices
from monitor.ledger.queries import price_lists, unpriced_models
from monitor.records import Record
from tests.factories import NOW, make_record, make_usage
from tests.pricing.books import changing_on, make_book, make_model, make_prices
from tests.world import ALWAYS, World

_OLD = make_book(make_model("m", make_prices(input_mtok="2", output_mtok="8")))
_NEW = make_book(make_model("m", make_prices(input_mtok="3", output_mtok="8")), version="list 2")


def _record(model: str = "m", started_at: datetime = NOW) -> Record:
    """A million tokens in, so that it costs its price."""
    usage = make_usage(input_tokens=1_000_000, output_tokens=0)
    return make_record(usage=usage, request_model=model, response_model=None, started_at=started_at)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, book=_OLD) as world:
        yield world


def test_the_same_list_changes_nothing(world: World) -> None:
    """A refresh may come as often as it likes."""
    world.store(_record())
    before = world.rows("from prices order by all"), world.rows("from price_matches")

    assert [refresh_prices(world.ledger, _OLD) for _ in range(2)] == [0, 0]
    assert (world.rows("from prices order by all"), world.rows("from price_matches")) == before


def test_a_changed_list_is_told_once(world: World) -> None:
    """The number of models that changed, then nothing more."""
    world.store(_record())

    assert [refresh_prices(world.ledger, _NEW) for _ in range(2)] == [1, 0]


def test_new_requests_cost_the_new_price(world: World) -> None:
    """Rows that stand keep what they cost."""
    first, second = _record(), _record()
    world.store(first)
    refresh_prices(world.ledger, _NEW)
    world.drain.use(_NEW)
    world.store(second)

    assert (world.one(first)["list_cost"], world.one(second)["list_cost"]) == (Decimal(2), Decimal(3))


def test_entries_that_no_longer_hold_are_kept(world: World) -> None:
    """The rows that they priced still name them."""
    record = _record()
    world.store(record)
    refresh_prices(world.ledger, _NEW)

    assert world.rows(
        "select input, is_current from prices where sku_price_id = ?", world.one(record)["sku_price_id"]
    ) == [(Decimal("0.000002"), False)]


def test_each_entry_stands_in_the_table_once(world: World) -> None:
    """Though it came in two lists, or went and came back."""
    world.store(_record())
    for book in (_NEW, _OLD, _NEW):
        refresh_prices(world.ledger, book)

    assert world.rows("select sku_price_id from prices group by 1 having count(*) > 1") == []
    assert world.value("select count(*) from prices where is_current and input = 0.000003") == 4


def test_an_announced_price_ends_the_entry_that_holds_now(world: World) -> None:
    """Before the day the old price holds, from it on the new one, and never both."""
    world.store(_record())
    later = make_book(
        make_model(
            "m",
            changing_on(
                date(2026, 12, 1),
                make_prices(input_mtok="2", output_mtok="8"),
                make_prices(input_mtok="1", output_mtok="8"),
            ),
        )
    )
    refresh_prices(world.ledger, later)
    before, after = _record(), _record(started_at=datetime(2026, 12, 1, tzinfo=UTC))
    world.store(before, after)

    assert (world.one(before)["list_cost"], world.one(after)["list_cost"]) == (Decimal(2), Decimal(1))


def test_a_model_that_had_no_price_finds_one(world: World) -> None:
    """New requests of it are priced; the question about unpriced models still tells of the old ones."""
    old, new = _record("n"), _record("n")
    world.store(old)
    richer = make_book(
        make_model("m", make_prices(input_mtok="2", output_mtok="8")), make_model("n", make_prices(input_mtok="5"))
    )

    assert refresh_prices(world.ledger, richer) == 1
    world.store(new)
    assert (world.one(old)["list_cost"], world.one(new)["list_cost"]) == (None, Decimal(5))
    assert [(row["model"], row["requests"]) for row in unpriced_models(world.ledger, ALWAYS)] == [("n", 1)]


def test_a_model_that_lost_its_price_is_unpriced(world: World) -> None:
    """A list without it says nothing any more of what it costs."""
    world.store(_record())
    record = _record()
    refresh_prices(world.ledger, make_book())
    world.store(record)

    assert world.one(record)["pricing_state"] == "unpriced"


def test_two_names_of_one_model_share_its_entries(world: World) -> None:
    """They are stored once."""
    world.store(_record("m"), _record("M"))

    assert world.value("select count(*) from prices") == 4


def test_the_lists_in_use_are_named(world: World) -> None:
    """As they are called where they come from."""
    world.store(_record())

    assert price_lists(world.ledger) == ["list 1"]
