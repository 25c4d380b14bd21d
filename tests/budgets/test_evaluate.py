from decimal import Decimal

import pytest

from monitor.budgets.evaluate import evaluate
from monitor.budgets.periods import period_of
from tests.factories_alerts import NOW, make_budget, make_spend

MONTH = period_of("month", "UTC", NOW)


@pytest.mark.parametrize(
    ("list_cost", "reached"),
    [
        ("49.999999", []),
        ("50", ["0.5"]),
        ("79.99", ["0.5"]),
        ("80.0", ["0.5", "0.8"]),
        ("100", ["0.5", "0.8", "1"]),
        ("1000", ["0.5", "0.8", "1"]),
        ("-5", []),
    ],
)
def test_a_threshold_is_reached_exactly_at_its_share(list_cost: str, reached: list[str]) -> None:
    """Exactly 80 % of the amount is 80 %; a millionth of a dollar less is not."""
    crossings = evaluate(make_budget(amount="100"), MONTH, make_spend(list_cost))

    assert [crossing.threshold for crossing in crossings] == list(map(Decimal, reached))


def test_nothing_priced_crosses_nothing() -> None:
    """Unknown spend is neither zero nor too much."""
    assert evaluate(make_budget(), MONTH, make_spend(None, requests=9, unpriced_requests=9)) == ()


def test_requests_without_a_price_travel_with_the_crossing() -> None:
    """Who reads the alert must learn that its figure is too low."""
    (crossing,) = evaluate(make_budget(), MONTH, make_spend("50", unpriced_requests=3))

    assert crossing.unpriced_requests == 3
