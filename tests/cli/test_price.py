"""`monitor price set`, `discount`, `remove`, `list`, `show` and `why` through the real commands."""

from decimal import Decimal
from pathlib import Path

import pytest

from monitor.errors import ControlError, PricingError
from monitor.pricing.own import OwnPrices
from tests.cli.commands import answer
from tests.cli.prices import cells, home_of, price, row_id
from tests.factories import make_record, make_usage
from tests.factories_alerts import open_control


def test_an_empty_folder_is_told_what_to_do(tmp_path: Path) -> None:
    """Nothing is there, and each answer names the next command."""
    home = home_of(tmp_path)

    assert "monitor price list --all --provider openai" in price(home, "list")
    assert "monitor price set MODEL" in price(home, "list", "--own")
    assert "monitor price set gpt-99 --input USD" in price(home, "why", "gpt-99", status=1)


def test_a_price_that_is_set_holds_for_what_comes_and_stored_costs_stay(tmp_path: Path) -> None:
    """The answer says what held, what holds, and how stored requests could be priced again."""
    home = home_of(tmp_path, make_record(usage=make_usage(input_tokens=1_000_000, output_tokens=0)))
    before = answer(home)["total"]["list_cost"]
    said = price(home, "set", "gpt-4o", "--input", "2", "--cached", "0.5", "--from", "2026-11-01", "--note", "offer 7")

    assert "own prices of gpt-4o of openai, from 2026-11-01 on." in said
    assert cells(said, "input")[1:3] == ["2.50", "2.00"]
    assert "1 stored request, the first of 2026-11-20, stays as it is." in said
    assert "  monitor price reprice --since 2026-11-20T12:00Z\n" in said
    assert (before, answer(home)["total"]["list_cost"]) == ("2.5", "2.5")
    with open_control(home) as control:
        (row,) = control.own_prices().prices
    assert (row.prices, row.note) == ({"input": Decimal("0.000002"), "cache_read": Decimal("0.0000005")}, "offer 7")


def test_a_new_model_is_priced_from_the_moment_it_is_set(tmp_path: Path) -> None:
    """Without a server the next command prices by it; the model that was unpriced has its price too."""
    home = home_of(tmp_path, make_record(request_model="gpt-99", response_model="gpt-99"))
    unpriced = price(home, "list")
    price(home, "set", "gpt-99", "--like", "gpt-4o")

    assert "gpt-99 of openai: genai-prices" in unpriced
    assert cells(price(home, "list"), "gpt-99")[1:] == ["openai", "2.50", "1.25", "10.00", "1", "more"]
    assert "which is what you say that gpt-99 is" in " ".join(price(home, "why", "gpt-99").split())


def test_why_names_the_row_that_says_a_price(tmp_path: Path) -> None:
    """So that it can be removed; then the list's price holds again."""
    home = home_of(tmp_path)
    name = row_id(price(home, "set", "gpt-4o", "--input", "2"))
    during = cells(price(home, "why", "gpt-4o-2024-08-06"), "input")
    price(home, "remove", name)

    assert during == ["input", "2.00", "1M", "tokens", "own", "prices,", name]
    assert cells(price(home, "why", "gpt-4o-2024-08-06"), "input")[:2] == ["input", "2.50"]


def test_what_completion_windows_cost_is_told(tmp_path: Path) -> None:
    """Who says each factor, the row that says another, and that it is no price."""
    home = home_of(tmp_path)
    before = cells(price(home, "why", "gpt-5.4"), "window:8h")
    said = price(home, "set", "gpt-5.4", "--per", "window:8h=0.5", "--from", "2026-11-01")
    why, shown = price(home, "why", "gpt-5.4"), price(home, "show", "gpt-5.4", "--at", "2026-11-20")

    assert before[:6] == ["window:8h", "0.60", "times", "the", "tokens", "supplement"]
    assert cells(said, "window:8h") == ["window:8h", "0.60", "0.50", "times", "the", "tokens"]
    assert cells(why, "window:8h")[1:] == ["0.50", "times", "the", "tokens", "own", "prices,", row_id(said)]
    assert cells(why, "window:2h")[1] == "0.70"
    assert "window:8h 0.50 times the tokens" in " ".join(shown.split())


def test_prices_of_other_units_tiers_and_sizes_are_set(tmp_path: Path) -> None:
    """Each as its option says; show has them all."""
    home = home_of(tmp_path)
    price(home, "set", "gpt-99", "--input", "5", "--per", "image:hd/1024x1024=0.08", "--per", "character=15/1M")
    price(home, "set", "gpt-99", "--input", "9", "--above", "272000")
    price(home, "set", "gpt-99", "--input", "2.5", "--tier", "batch", "--to", "2026-12-01")
    said = " ".join(price(home, "show", "gpt-99").split())

    assert "default, always, prompts up to 272,000 tokens by own prices input 5.00 for 1M tokens" in said
    assert "default, always, prompts above 272,000 tokens by own prices input 9.00" in said
    assert "batch, until 2026-12-01 by own prices input 2.50" in said
    assert "character 15.00 for 1M characters" in said
    assert "image:hd/1024x1024 0.08 for a picture" in said


def test_the_same_said_twice_is_one_row(tmp_path: Path) -> None:
    """And said again after something else about the same, it holds again."""
    home = home_of(tmp_path)
    for usd in ("2", "3", "2", "2"):
        price(home, "set", "gpt-4o", "--input", usd)

    with open_control(home) as control:
        assert sorted(row.prices["input"] for row in control.own_prices().prices) == [
            Decimal("0.000002"),
            Decimal("0.000003"),
        ]
    assert cells(price(home, "why", "gpt-4o"), "input")[1] == "2.00"


_DISCOUNTS = (
    ("15% --model GPT-4o*", "85% of the list cost (15% off) is paid for gpt-4o*, always."),
    ("+10% --provider azure.ai.openai", "110% of the list cost (a margin of 10%) is paid for all models of azure"),
    ("0.5x --class tools --key k", "50% of the list cost (50% off) of tools is paid for all models, the key k"),
)


def test_a_discount_says_what_it_means(tmp_path: Path) -> None:
    """In a sentence, with how many stored requests it would be for."""
    home = home_of(tmp_path, make_record())
    said = [" ".join(price(home, "discount", *words.split()).split()) for words, _ in _DISCOUNTS]
    own = " ".join(price(home, "list", "--own").split())

    assert all(sentence in text and sentence in own for text, (_, sentence) in zip(said, _DISCOUNTS, strict=True))
    assert ["1 stored request" in text for text in said] == [True, False, False]


_REFUSED = (
    ("set gpt-4o", "No price is given"),
    ("set gpt-4o --input 2,50", "'2,50' is no price in USD"),
    ("set gpt-4o --per input=2.50", "for one, or for a million"),
    ("set gpt-4o --input 1 --tier cheap", "'cheap' is no tier"),
    ("set gpt-4o --input 1 --from 2026-12-01 --to 2026-11-01", "not after it begins"),
    ("set gpt-4o --like gpt-4o", "costs what it costs"),
    ("set gpt-99 --like gpt-4o --input 1", "no other option goes with it"),
    ("set  --input 1", "has no name"),
    ("discount 15", "is no discount"),
    ("discount 15% --class inputs", "'inputs' is no class"),
    ("remove price_none", "no price, name or discount 'price_none'"),
    ("why gpt-4o --tier cheap", "'cheap' is no tier"),
)


def test_what_cannot_be_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    """One sentence that names the value."""
    home = home_of(tmp_path)
    for words, fault in _REFUSED:
        with pytest.raises((ControlError, PricingError), match=fault):
            price(home, *words.split(" "))

    with open_control(home) as control:
        assert control.own_prices() == OwnPrices()
