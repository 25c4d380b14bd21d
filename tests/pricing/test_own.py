"""What users say of prices goes before what lists say: how rows lie over each other, and when they hold."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import PricingError
from monitor.pricing.book import PriceBook
from monitor.pricing.explained import Asked, entry_of
from monitor.pricing.own import OwnPrice, OwnPriceIndex, require_name, require_price
from tests.pricing.own_rows import book_with, day, discount, own_name, own_of, own_price

_NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


def _price(
    book: PriceBook,
    model: str,
    unit: str,
    *,
    provider: str = "openai",
    at: datetime = _NOON,
    tier: str = "default",
    tokens: int = 1,
) -> Decimal | None:
    """USD for a million of a unit; None where there is no price."""
    asked = Asked(provider=provider, model=model, at=at, tier=tier, input_tokens=tokens)
    entry = entry_of(book.match(provider, model).entries, asked)
    found = None if entry is None else entry.unit_prices.get(unit)
    return None if found is None else found.scaleb(6).normalize()


def test_an_own_price_goes_before_the_lists_and_leaves_other_units_alone() -> None:
    """The input is what the user says, the output what the list says; dated names of the model follow."""
    book = book_with(own_price("gpt-4o", input="2"))

    found = [_price(book, name, unit) for name in ("gpt-4o", "gpt-4o-2024-08-06") for unit in ("input", "output")]
    assert found == [2, 10, 2, 10]


def test_of_two_rows_about_the_same_the_later_one_holds() -> None:
    """Whatever the order in which they are read."""
    first, second = own_price("gpt-4o", input="2"), own_price("gpt-4o", input="3")

    assert [_price(book_with(*rows), "gpt-4o", "input") for rows in ((first, second), (second, first))] == [3, 3]


def test_a_row_holds_from_its_first_moment_to_its_last() -> None:
    """What the list says holds before and after it."""
    book = book_with(own_price("gpt-4o", input="2", start=day(10), end=day(20)))

    moments = (day(9), day(10), day(19), day(20))
    assert [_price(book, "gpt-4o", "input", at=moment) for moment in moments] == [Decimal("2.5"), 2, 2, Decimal("2.5")]


def test_a_later_row_in_a_longer_one_is_an_island() -> None:
    """When it ends, the longer one holds again."""
    book = book_with(own_price("gpt-4o", input="3"), own_price("gpt-4o", input="1", start=day(10), end=day(12)))

    assert [_price(book, "gpt-4o", "input", at=day(number)) for number in (9, 11, 12)] == [3, 1, 3]


def test_a_step_holds_for_larger_prompts_only() -> None:
    """One token more than the step costs the higher price."""
    book = book_with(own_price("gpt-4o", input="5", above=1_000))

    assert [_price(book, "gpt-4o", "input", tokens=tokens) for tokens in (1_000, 1_001)] == [Decimal("2.5"), 5]


def test_a_tier_of_its_own_leaves_the_others_alone() -> None:
    """A batch price says nothing of other requests."""
    book = book_with(own_price("gpt-4o", input="1", tiers=("batch",)))

    assert [_price(book, "gpt-4o", "input", tier=tier) for tier in ("batch", "default")] == [1, Decimal("2.5")]


def test_a_model_that_no_list_knows_has_the_price_that_was_said() -> None:
    """Also one of a provider without any list, and by a pattern."""
    book = book_with(
        own_price("gpt-99", input="7"),
        own_price("llama*", provider="my-proxy", input="0"),
    )

    assert _price(book, "GPT-99", "input") == 7
    assert _price(book, "llama-3-70b", "input", provider="my-proxy") == 0
    assert _price(book, "gpt-98", "input") is None


def test_a_price_for_one_recorded_name_is_not_that_of_its_siblings() -> None:
    """The listed model and its other snapshots keep theirs, under another key."""
    book = book_with(own_price("gpt-4o-2024-08-06", input="2"))

    assert [_price(book, name, "input") for name in ("gpt-4o-2024-08-06", "gpt-4o")] == [2, Decimal("2.5")]
    assert book.match("openai", "gpt-4o-2024-08-06").price_key != book.match("openai", "gpt-4o").price_key


def test_a_name_costs_what_the_model_costs() -> None:
    """With what was said of that model, from another provider's list too; why tells it."""
    book = book_with(
        own_name("fast", "gpt-4o", provider="my-proxy"), own_price("gpt-4o", input="2"), own_name("gpt-4x", "gpt-4o")
    )
    found = book.match("my-proxy", "fast")

    assert _price(book, "fast", "input", provider="my-proxy") == 2
    assert _price(book, "gpt-4x", "input") == 2
    assert "which is what you say that fast is" in found.why


def test_the_closest_discount_holds_and_none_are_multiplied() -> None:
    """Key before project before model before provider; of two alike the later one."""
    rows = [
        discount("0.5", provider="openai"),
        discount("0.6", model="gpt-*"),
        discount("0.7", project="p"),
        discount("0.8", key="k"),
        discount("0.9", key="k"),
    ]

    found = []
    for number in range(1, len(rows) + 1):
        ((_, _, best),) = own_of(*rows[:number]).discount_spans("openai", "gpt-4o", "p", "k")
        found.append(best.factor("input"))
    assert found == [Decimal(text) for text in ("0.5", "0.6", "0.7", "0.8", "0.9")]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (own_price("gpt-4o"), "No price is given for 'gpt-4o'"),
        (own_price("gpt-4o", inputs="1"), "'inputs' is no unit"),
        (own_price("gpt-4o", input="-1"), "cannot cost"),
        (own_price("gpt-4o", input="NaN"), "cannot cost"),
        (own_price("gpt-4o", input="0.0000000000001"), "more than 18 digits"),
        (own_price("gpt-4o", input="1", tiers=("cheap",)), "'cheap' is no tier"),
        (own_price("gpt-4o", input="1", start=day(2), end=day(2)), "not after it begins"),
    ],
)
def test_what_cannot_be_is_refused_in_words(row: OwnPrice, fault: str) -> None:
    """The sentence names the value."""
    with pytest.raises(PricingError, match=fault):
        require_price(row)


def test_rows_are_found_at_once_as_one_by_one() -> None:
    """By plain name, by pattern, in any case, for several names of a model; each once, the oldest first."""
    own = own_of(
        own_price("gpt-4*", input="1"),
        own_price("gpt-4o", input="2"),
        own_price("gpt-4o", provider="azure", input="3"),
        own_price("gpt-4o-2024-08-06", input="4"),
    )
    index = OwnPriceIndex(own)
    asked = (
        [("openai", "GPT-4o")],
        [("openai", "gpt-4o-2024-08-06"), ("openai", "gpt-4o")],
        [("azure", "gpt-4o"), ("openai", None)],
        [("x", "gpt-4o")],
    )

    found = [index.about(*models) for models in asked]
    rows = sorted(own.prices, key=lambda row: (row.created_at, row.id))
    assert found == [tuple(row for row in rows if row.is_about(*models)) for models in asked]
    assert [len(rows) for rows in found] == [2, 3, 1, 0]


def test_a_model_is_no_name_of_itself() -> None:
    """Nor can a pattern be the model whose prices hold."""
    for name, model in (("gpt-4o", "gpt-4o"), ("gpt-4x", "gpt-4*"), ("", "gpt-4o")):
        with pytest.raises(PricingError):
            require_name(own_name(name, model))


_DAYS = st.one_of(st.none(), st.integers(1, 28).map(day))
_ROWS = st.builds(
    lambda start, end, price, above, tier: own_price(
        "gpt-4o", input=str(price), above=above, tiers=(tier,), start=start, end=end
    ),
    _DAYS,
    _DAYS,
    st.integers(0, 9),
    st.sampled_from((-1, 100, 1_000)),
    st.sampled_from(("default", "batch")),
).filter(lambda row: row.valid_from is None or row.valid_to is None or row.valid_from < row.valid_to)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROWS, max_size=4), st.integers(1, 28), st.integers(0, 2_000))
def test_entries_never_overlap_and_say_what_was_said_last(rows: list[OwnPrice], number: int, tokens: int) -> None:
    """At each moment and size of prompt there is one entry; its price is that of the last row that holds, if any."""
    book, at = book_with(*rows), day(number)
    for tier in ("default", "batch"):
        entries = book.match("openai", "gpt-4o").entries
        asked = Asked(provider="openai", model="gpt-4o", at=at, tier=tier, input_tokens=tokens)
        holding = [one for one in entries if entry_of([one], asked) is not None]
        said = [row for row in rows if row.holds_at(at) and tier in row.tiers]

        assert len(holding) == 1
        assert holding[0].unit_prices["input"] == _expected(said, tier, tokens)


def _expected(said: list[OwnPrice], tier: str, tokens: int) -> Decimal:
    """Steps lie over each other as they are said; one for any prompt takes all before it away."""
    steps = {-1: Decimal("2.5" if tier == "default" else "1.25").scaleb(-6)}
    for row in said:
        if row.above_input_tokens == -1:
            steps.clear()
        steps[row.above_input_tokens] = row.prices["input"]
    return steps[max(above for above in steps if above < tokens)]
