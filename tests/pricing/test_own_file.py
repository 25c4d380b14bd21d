"""Own prices as a file: what is written is read again, and what cannot be is told with its place."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import PricingError
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices
from monitor.pricing.own_file import contents_of, read_own, rows_of, write_own
from tests.pricing.own_rows import day, discount, own_name, own_of, own_price

_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _said(own: OwnPrices) -> list[object]:
    rows = (*own.prices, *own.names, *own.discounts)
    return [msgspec.structs.replace(row, id="", created_at=_NOW) for row in rows]


def test_what_is_written_is_read_again() -> None:
    """Every field, in the order in which it was said; the time of saying is that of reading."""
    price = own_price("ft:gpt-4o:acme:*", input="2.50", cache_read="0.075", above=272_000, start=day(1), end=day(20))
    told = own_of(
        msgspec.structs.replace(price, note='a "note"\nof two lines \x7f', tiers=("default", "flex")),
        msgspec.structs.replace(
            price, prices={"image:hd/1024x1024": Decimal("0.08"), "character": Decimal("0.000015")}
        ),
        own_name("fast", "gpt-4o", provider="my-proxy"),
        discount("0.85", model="gpt-4o*", key="k"),
    )
    read = read_own(write_own(told), now=_NOW)

    assert _said(read) == _said(told)
    assert [row.id for row in rows_of(read)][:2] == [row.id for row in told.prices]
    assert all(row.created_at > _NOW for row in rows_of(read))


@settings(max_examples=50, deadline=None)
@given(
    st.decimals(0, 100_000, places=18),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["input", "character", "tool:a b", "image:hd/1x1", "container:1g", "audio_second"]),
)
def test_no_digit_and_no_letter_is_lost(price: Decimal, note: str, unit: str) -> None:
    """Prices have up to 18 digits, notes any letter."""
    row = msgspec.structs.replace(own_price("m", input="1"), prices={unit: price}, note=note)

    assert _said(read_own(write_own(own_of(row)), now=_NOW)) == _said(own_of(row))


def test_two_rows_say_the_same_whoever_said_them() -> None:
    """Figures count, not how they are written; any other difference is one."""
    one, other = (own_price("gpt-4o", input=usd) for usd in ("2.5", "2.50"))

    assert contents_of(one) == contents_of(other)
    assert len({contents_of(one), *(contents_of(row) for row in _different(one))}) == len(_different(one)) + 1


def _different(row: OwnPrice) -> list[OwnPrice]:
    changes: list[dict[str, object]] = [
        {"note": "a"},
        {"tiers": ("batch",)},
        {"valid_from": day(1)},
        {"valid_to": day(1)},
        {"model": "b"},
        {"provider": "azure"},
        {"above_input_tokens": 1},
        {"prices": {"input": Decimal(1)}},
    ]
    return [msgspec.structs.replace(row, **change) for change in changes]


def test_all_faults_are_told_with_their_places() -> None:
    """Nothing is read when one row cannot be."""
    text = """
        [[prices]]
        provider = "openai"
        model = "gpt-4o"
        per_million = { inputs = 2.50 }
        [[prices]]
        provider = "openai"
        model = "gpt-99"
        per_million = { input = "2.50" }
        [[prices]]
        provider = "openai"
        model = "gpt-98"
        colour = "red"
        per_million = { input = inf }
        [[discounts]]
        factors = { input = -1 }
        [[names]]
        name = "a"
        [prizes]
    """
    with pytest.raises(PricingError) as caught:
        read_own(text, now=_NOW)

    first, *faults = str(caught.value).splitlines()
    assert first == "Nothing was taken in, for the file has faults:"
    assert [fault.partition(":")[0] for fault in faults] == [
        "'prizes' is no table of it; there are",
        "prices, row 1 (gpt-4o)",
        "prices, row 2 (gpt-99)",
        "prices, row 3 (gpt-98)",
        "names, row 1 (a)",
        "discounts, row 1",
    ]
    assert "'inputs' is no unit" in faults[1]
    assert "without quotes" in faults[2]
    assert "cannot be a price" in faults[3]


@pytest.mark.parametrize("text", ["prices = 3", "[[prices]\n", "prices = [1]", "[[prices]]\nvalid_from = 2026"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    """In words, whatever it is."""
    with pytest.raises(PricingError):
        read_own(text, now=_NOW)


def test_a_day_is_a_day_of_utc() -> None:
    """And a time with another zone is brought to UTC."""
    text = """
        [[prices]]
        provider = "openai"
        model = "GPT-4o"
        valid_from = 2026-11-01
        valid_to = 2026-11-02T01:00:00+01:00
        each = { "tool:web_search" = 0.01 }
    """
    (row,) = read_own(text, now=_NOW).prices

    assert (row.valid_from, row.valid_to, row.model) == (day(1), day(2), "gpt-4o")


def test_the_rows_of_each_kind_are_of_that_kind() -> None:
    """No table can be taken for another."""
    own = read_own(write_own(own_of(own_price("m", input="1"), own_name("a", "b"), discount("1"))), now=_NOW)

    assert [type(row) for row in (*own.prices, *own.names, *own.discounts)] == [OwnPrice, OwnName, Discount]
