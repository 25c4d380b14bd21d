"""What is paid at a discount stands beside the list cost, and only where there is a discount."""

import re

from monitor.pricing.installed import installed_price_book
from monitor.pricing.own import Discount, OwnPrices
from tests.dashboard.world import World, html, make_record, words
from tests.pricing.contracts import make_discount


def _add(world: World, *discounts: Discount) -> None:
    world.drain.use(installed_price_book().with_own(OwnPrices(discounts=discounts)))
    world.add(make_record())


def _request(world: World) -> str:
    """The page of the newest request."""
    page = world.page("requests")
    found = re.search(r"request=([^&\"]+)", html(page))
    assert found is not None
    page.query_params["request"] = found[1].replace("%3A", ":").replace("%2B", "+")
    opened = page.run()
    return f"{html(opened)} {words(opened)}"


def test_the_overview_says_what_is_paid(world: World) -> None:
    """This month, and by team and place."""
    _add(world, make_discount("0.8"))
    page = world.page()

    assert "With your discounts and margins $0.12 is paid this month." in words(page).replace("\\", "")
    assert html(page).count(">Paid<") == 2


def test_without_a_discount_the_overview_says_nothing_of_it(world: World) -> None:
    """Nobody who has none is to think about it."""
    _add(world)
    page = world.page()

    assert "discount" not in words(page)
    assert ">Paid<" not in html(page)


def test_a_request_shows_both_costs_by_class_and_the_discount(world: World) -> None:
    """With the part of each class that is paid."""
    discount = make_discount({"input": "0.8", "tools": "0.5"})
    _add(world, discount)
    shown = _request(world).replace("\\", "")

    assert "Paid USD" in shown
    assert "$0.15" in shown
    assert "$0.12" in shown
    assert f"At the discount {discount.id}: of the list cost is paid 80% of input, 50% of tools." in shown


def test_a_request_without_a_discount_shows_its_cost_alone(world: World) -> None:
    """As ever."""
    _add(world)

    assert "Paid USD" not in _request(world)
