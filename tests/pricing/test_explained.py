"""Which price holds, who says so, what differs elsewhere, and what to do where there is none."""

from decimal import Decimal

import pytest

from monitor.pricing.book import PriceBook
from monitor.pricing.comparing import differences
from monitor.pricing.explained import Asked, Explanation, explain
from monitor.pricing.proposals import proposal
from tests.factories import NOW
from tests.pricing.own_rows import book_with, day, own_name, own_price


def _why(
    book: PriceBook, model: str, *, provider: str = "openai", tier: str = "default", tokens: int = 1
) -> Explanation:
    return explain(book, Asked(provider=provider, model=model, at=NOW, tier=tier, input_tokens=tokens))


def _sources(found: Explanation) -> dict[str, str]:
    return {said.unit: said.source for said in found.prices}


def test_each_price_names_who_says_it() -> None:
    """The list, the supplement, or the very row of the user."""
    row = own_price("gpt-4o", input="2")
    sources = _sources(_why(book_with(row), "gpt-4o-2024-08-06"))

    assert sources["output"] == "the list"
    assert sources["trained"].startswith("supplement ")
    assert sources["input"] == f"own prices, {row.id}"


def test_fees_beside_an_own_price_are_not_said_by_the_user() -> None:
    """Of a model that no list knows, the supplement still says what tools cost."""
    row = own_price("gpt-99", input="2")
    sources = _sources(_why(book_with(row), "gpt-99"))

    assert sources["input"] == f"own prices, {row.id}"
    assert sources["tool:file_search"].startswith("supplement ")


def test_a_name_from_the_supplement_does_not_make_it_the_source_of_figures() -> None:
    """The figures of a model that goes by another name stand in the list."""
    assert _sources(_why(book_with(), "gpt-4o-mini-tts"))["input"] == "the list"


@pytest.mark.parametrize(
    ("model", "tier", "note"),
    [
        ("gpt-99", "default", "To give it a price: monitor price set gpt-99 "),
        ("gpt-98", "flex", "It has no price in the tier flex; it has one in: default."),
        ("gpt-98", "default", "It has no price on 2026-11-20."),
    ],
)
def test_where_nothing_holds_it_says_what_lacks(model: str, tier: str, note: str) -> None:
    """The model, the tier, or the day."""
    found = _why(book_with(own_price("gpt-98", input="1", start=day(1), end=day(19))), model, tier=tier)

    assert found.entry is None
    assert (found.note or "").startswith(note)


@pytest.mark.parametrize(
    ("provider", "model", "command"),
    [
        ("openai", "gpt-4o-mini-2027", "monitor price set gpt-4o-mini-2027 --like gpt-4o-mini"),
        ("openai", "wholly new", "monitor price set 'wholly new' --input USD --output USD"),
        ("my-proxy", "gpt-4o", "monitor price set gpt-4o --provider my-proxy --input USD --output USD"),
        ("azure.ai.openai", "gpt-4o-x", "monitor price set gpt-4o-x --provider azure --like gpt-4o"),
        ("openai", "gpt-4o", "monitor price set gpt-4o --per UNIT=USD"),
    ],
)
def test_a_proposal_can_be_typed(provider: str, model: str, command: str) -> None:
    """The nearest name of the provider, else figures to fill in; for a known model the unit that lacks one."""
    assert proposal(book_with(), provider, model) == command


def test_a_proposal_is_worth_following() -> None:
    """After the command it proposes, the model has a price."""
    assert _why(book_with(own_name("gpt-4o-x", "gpt-4o")), "gpt-4o-x").entry is not None


def test_only_prices_that_differ_are_told() -> None:
    """With what one side alone has; a zero there is no difference to nothing here."""
    entries = book_with(own_price("gpt-4o", input="2")).match("openai", "gpt-4o").entries
    theirs = {
        ("default", -1, "input"): Decimal("0.0000025"),
        ("default", -1, "output"): Decimal("0.00001"),
        ("default", -1, "reasoning"): Decimal(0),
        ("priority", -1, "input_audio"): Decimal("0.00004"),
    }

    found = {(d.tier, d.unit): (d.ours, d.theirs) for d in differences("openai", "gpt-4o", entries, theirs, NOW)}
    assert found == {
        ("default", "cache_read"): (Decimal("0.00000125"), None),
        ("default", "input"): (Decimal("0.000002"), Decimal("0.0000025")),
        ("priority", "input_audio"): (None, Decimal("0.00004")),
    }
