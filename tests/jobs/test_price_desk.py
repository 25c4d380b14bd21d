"""What people say of prices is taken up at once: by what is stored next, and by the price table."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.control.store import Control
from monitor.jobs.price_desk import PriceDesk
from tests.factories import make_record, make_usage
from tests.factories_alerts import open_control
from tests.pricing.own_rows import own_name, own_price
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    with open_control(tmp_path) as control:
        yield control


def _cost(world: World, model: str) -> Decimal | None:
    usage = make_usage(input_tokens=1_000_000, output_tokens=0)
    return world.cost(make_record(request_model=model, response_model=model, usage=usage))


def test_a_price_holds_for_what_is_stored_next(world: World, control: Control) -> None:
    """For models that were seen and for new ones; what is stored keeps its cost."""
    desk = PriceDesk(world.ledger, control, {}, world.health, world.home.own_prices)
    before = [_cost(world, model) for model in ("gpt-4o", "gpt-99")]
    control.change_prices(say=(own_price("gpt-4o", input="2"), own_price("gpt-9*", input="7")), unsay=())

    changed = desk.take_up(world.drain.use)

    assert (before, changed) == ([Decimal("2.5"), None], 2)
    assert [_cost(world, model) for model in ("gpt-4o", "gpt-99", "gpt-98")] == [2, 7, 7]
    assert world.value("select sum(list_cost) from requests") == Decimal("18.5")


def test_what_is_taken_back_holds_no_longer(world: World, control: Control) -> None:
    """The list's price holds again, and a model without one is unpriced again."""
    desk = PriceDesk(world.ledger, control, {}, world.health, world.home.own_prices)
    rows = (own_price("gpt-4o", input="2"), own_name("gpt-99", "gpt-4o"))
    control.change_prices(say=rows, unsay=())
    desk.take_up(world.drain.use)
    during = [_cost(world, model) for model in ("gpt-4o", "gpt-99")]
    control.change_prices(say=(), unsay=[row.id for row in rows])
    desk.take_up(world.drain.use)

    assert during == [2, 2]
    assert [_cost(world, model) for model in ("gpt-4o", "gpt-99")] == [Decimal("2.5"), None]


def test_nothing_said_changes_nothing(world: World, control: Control) -> None:
    """Taking up the same book again finds nothing to do."""
    desk = PriceDesk(world.ledger, control, {}, world.health, world.home.own_prices)
    _cost(world, "gpt-4o")

    assert [desk.take_up(world.drain.use) for _ in range(2)] == [0, 0]
