"""Prices and discounts as people write them."""

from decimal import Decimal

import pytest

from monitor.errors import PricingError
from monitor.pricing.saying import describe_factor, parse_factor, per_million, per_unit


def test_prices_of_tokens_are_for_a_million_and_others_for_one() -> None:
    """Behind a stroke stands how many cost that much."""
    assert per_million({"input": "$2.50", "output": None}) == {"input": Decimal("0.0000025")}
    assert per_unit(["image:hd/1024x1024=0.08", "tool:web_search = 10/1k", "character=15/1M"]) == {
        "image:hd/1024x1024": Decimal("0.08"),
        "tool:web_search": Decimal("0.01"),
        "character": Decimal("0.000015"),
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("input=2.50", "for one, or for a million"),
        ("audio_second", "Write UNIT=USD"),
        ("audio_second=", "Write UNIT=USD"),
        ("audio_second=-1", "Write UNIT=USD"),
        ("seconds=1", "'seconds' is no unit"),
        ("audio_second=1e3", "Write UNIT=USD"),
        ("audio_second=0.0000000000000000001", "Write UNIT=USD"),
    ],
)
def test_a_price_that_may_be_misread_is_refused(text: str, fault: str) -> None:
    """Above all one of tokens that does not say for how many."""
    with pytest.raises(PricingError, match=fault):
        per_unit([text])


def test_a_unit_has_one_price() -> None:
    """The second is not silently taken."""
    with pytest.raises(PricingError, match="given twice"):
        per_unit(["request=1", "request=2"])


@pytest.mark.parametrize(
    ("text", "factor", "told"),
    [
        ("15%", "0.85", "85% of the list cost (15% off)"),
        ("-15%", "0.85", "85% of the list cost (15% off)"),
        ("0.85x", "0.85", "85% of the list cost (15% off)"),
        ("x1.2", "1.2", "120% of the list cost (a margin of 20%)"),
        ("+10 %", "1.1", "110% of the list cost (a margin of 10%)"),
        ("2.5%", "0.975", "97.5% of the list cost (2.5% off)"),
        ("0%", "1", "100% of the list cost"),
        ("100%", "0", "0% of the list cost (100% off)"),
    ],
)
def test_a_discount_is_a_factor(text: str, factor: str, told: str) -> None:
    """Percents are taken off, unless a plus says that they are added."""
    found = parse_factor(text)

    assert (found, describe_factor(found)) == (Decimal(factor), told)


@pytest.mark.parametrize("text", ["15", "101%", "0.85", "%", "x", "ten%", "1e2%", "15%x"])
def test_what_is_no_discount_is_refused(text: str) -> None:
    """A bare number could be either: it is refused."""
    with pytest.raises(PricingError):
        parse_factor(text)
