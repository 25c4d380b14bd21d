"""What it costs to keep vector stores: exact GiB-days, what is free shared by an organisation, prices of each day."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.pricing.installed import installed_price_book
from monitor.pricing.own import OwnPrice, OwnPrices
from monitor.pricing.storage import StatedSize, StoragePrice, StoredDay, storage_price, stored_days
from tests.factories import NOW
from tests.world import price_book

_GIB = 2**30
_START = datetime(2026, 11, 10, tzinfo=UTC)
_DAY = timedelta(days=1)
_PRICE = StoragePrice(usd=Decimal("0.10"), free_gib=Decimal(1))


def _said(
    days: float, gib: float, store: str = "vs_1", *, account: str | None = "org-1", expires: float | None = None
) -> StatedSize:
    """A size that was stated so many days after the start."""
    return StatedSize(
        provider_name="openai",
        billing_account_id=account,
        store_id=store,
        seen_at=_START + days * _DAY,
        size=int(gib * _GIB),
        expires_at=None if expires is None else _START + expires * _DAY,
    )


def _price_of(provider_name: str, _: datetime) -> StoragePrice | None:
    return _PRICE if provider_name == "openai" else None


def _costs(*sizes: StatedSize, days: float = 3, start: float = 0) -> list[str]:
    """The list cost of each day that has any storage."""
    found = stored_days(sizes, _START + start * _DAY, _START + days * _DAY, _price_of)
    return [f"{one.day:%d} {one.list_cost:f}".rstrip("0").rstrip(".") for one in found]


@pytest.mark.parametrize(
    ("sizes", "costs"),
    [
        ([_said(0, 3)], ["10 0.2", "11 0.2", "12 0.2"]),
        ([_said(0, 1)], ["10 0", "11 0", "12 0"]),
        ([_said(0, 0.75), _said(0, 0.75, "vs_2")], ["10 0.05", "11 0.05", "12 0.05"]),
        ([_said(0, 1), _said(0, 1, "vs_2", account="org-2")], ["10 0", "10 0", "11 0", "11 0", "12 0", "12 0"]),
        ([_said(0, 2), _said(1.5, 4)], ["10 0.1", "11 0.2", "12 0.3"]),
        ([_said(0, 5), _said(1.25, 0)], ["10 0.4", "11 0.025"]),
        ([_said(0, 5, expires=1.25)], ["10 0.4", "11 0.025"]),
        ([_said(0, 5, expires=0.5), _said(0.25, 5, expires=2)], ["10 0.4", "11 0.4"]),
        ([_said(-400, 2)], ["10 0.1", "11 0.1", "12 0.1"]),
        ([_said(0, 2), _said(3, 9), _said(7, 0)], ["10 0.1", "11 0.1", "12 0.1"]),
        ([_said(1, 0)], []),
        ([], []),
    ],
    ids=[
        "one store",
        "the first GiB is free",
        "two stores of one organisation share it",
        "two organisations have one each",
        "it grows at noon",
        "it is deleted",
        "it expires",
        "its end is put off",
        "it was last stated long ago",
        "what is stated later changes nothing before",
        "nothing is assumed before the first",
        "nothing was stated",
    ],
)
def test_a_day_costs_what_is_stored_in_it(sizes: Sequence[StatedSize], costs: list[str]) -> None:
    """To the last digit, at ten cents for a GiB and day."""
    assert _costs(*sizes) == costs


def test_of_a_part_of_a_day_a_part_is_free() -> None:
    """At six in the morning a quarter of it: the day so far costs what it will at its end."""
    assert _costs(_said(0, 3), days=0.25) == ["10 0.05"]
    assert _costs(_said(0, 3), start=0.5, days=1) == ["10 0.1"]


def test_a_provider_without_a_price_is_unknown() -> None:
    """Never nothing, though the bytes are known."""
    (found,) = stored_days(
        [
            StatedSize(
                provider_name="azure.ai.openai", billing_account_id=None, store_id="vs", seen_at=_START, size=_GIB
            )
        ],
        _START,
        _START + _DAY,
        _price_of,
    )

    assert (found.byte_seconds, found.gib_days) == (Decimal(86_400) * _GIB, Decimal(1))
    assert (found.charged_gib_days, found.list_cost) == (None, None)


def test_digits_are_exact() -> None:
    """One byte for a second, beyond what is free, is 18 digits of a GiB-day, rounded half up."""
    free = StoragePrice(usd=Decimal("0.10"), free_gib=Decimal(0))
    size = StatedSize(provider_name="openai", billing_account_id=None, store_id="vs", seen_at=_START, size=1)
    (found,) = stored_days([size], _START, _START + timedelta(seconds=1), lambda *_: free)

    assert found == StoredDay(
        day=date(2026, 11, 10),
        provider_name="openai",
        billing_account_id=None,
        byte_seconds=Decimal(1),
        gib_days=Decimal("0.000000000000010779"),
        charged_gib_days=Decimal("0.000000000000010779"),
        list_cost=Decimal("0.000000000000001078"),
    )


def test_each_day_has_its_own_price() -> None:
    """One that changes on a date changes no day before."""
    dear = StoragePrice(usd=Decimal("0.20"), free_gib=Decimal(0))
    found = stored_days([_said(0, 2)], _START, _START + 2 * _DAY, lambda _, day: _PRICE if day == _START else dear)

    assert [one.list_cost for one in found] == [Decimal("0.1"), Decimal("0.4")]


def _listed(*own: OwnPrice, at: datetime = NOW, provider: str = "openai") -> StoragePrice | None:
    book = installed_price_book(own=OwnPrices(prices=own)) if own else price_book()
    return storage_price(book.match(provider, "vector_store").entries, at)


def _own(**prices: str) -> OwnPrice:
    units = {f"{unit}:vector_store": Decimal(usd) for unit, usd in prices.items()}
    return OwnPrice(
        id="price_1", created_at=NOW, provider="openai", model="vector_store", valid_from=_START, prices=units
    )


def test_the_list_has_a_price() -> None:
    """Ten cents, the first GiB for nothing; other providers have none."""
    assert _listed() == _PRICE
    assert _listed(provider="azure.ai.openai") is None


def test_an_own_price_goes_before_it_from_its_day_on() -> None:
    """The other of the two stays."""
    own = _own(storage="0.08")

    assert _listed(own) == StoragePrice(usd=Decimal("0.08"), free_gib=Decimal(1))
    assert _listed(own, at=_START - _DAY) == _PRICE
    assert _listed(_own(storage_free="20")) == StoragePrice(usd=Decimal("0.10"), free_gib=Decimal(20))


_MOMENTS = st.integers(0, 5 * 86_400 * 10**6).map(lambda ticks: _START + timedelta(microseconds=ticks))
_SIZES = st.lists(
    st.builds(
        StatedSize,
        provider_name=st.sampled_from(["openai", "azure.ai.openai"]),
        billing_account_id=st.just("org-1"),
        store_id=st.sampled_from(["vs_1", "vs_2", "vs_3"]),
        seen_at=_MOMENTS,
        size=st.integers(0, 2**40),
        expires_at=st.none() | _MOMENTS,
    ),
    max_size=12,
)


@given(sizes=_SIZES, chance=st.randoms())
def test_the_order_of_statements_changes_nothing(sizes: list[StatedSize], chance: random.Random) -> None:
    """Nor does one that is stated twice."""
    shuffled = [*sizes, *sizes[:3]]
    chance.shuffle(shuffled)
    span = _START + _DAY / 3, _START + 5 * _DAY

    assert stored_days(shuffled, *span, _price_of) == stored_days(sizes, *span, _price_of)


@given(sizes=_SIZES, turn=st.integers(1, 4))
def test_splitting_at_a_midnight_changes_nothing(sizes: list[StatedSize], turn: int) -> None:
    """The days of both parts are those of the whole."""
    end, middle = _START + 5 * _DAY, _START + turn * _DAY
    parts = [*stored_days(sizes, _START, middle, _price_of), *stored_days(sizes, middle, end, _price_of)]

    assert parts == stored_days(sizes, _START, end, _price_of)


@given(sizes=_SIZES, middle=_MOMENTS)
def test_splitting_anywhere_keeps_all_bytes(sizes: list[StatedSize], middle: datetime) -> None:
    """Exactly; each part of a day has its part of what is free, so no part costs less than nothing."""
    end = _START + 5 * _DAY
    parts = [*stored_days(sizes, _START, middle, _price_of), *stored_days(sizes, middle, end, _price_of)]
    whole = stored_days(sizes, _START, end, _price_of)

    assert _bytes(parts) == _bytes(whole)
    assert all(one.list_cost is None or one.list_cost >= 0 for one in parts)
    assert _cost(parts) >= _cost(whole) - Fraction(1, 10**15)


def _bytes(days: Sequence[StoredDay]) -> Fraction:
    return sum((Fraction(one.byte_seconds) for one in days), Fraction())


def _cost(days: Sequence[StoredDay]) -> Fraction:
    return sum((Fraction(one.list_cost) for one in days if one.list_cost is not None), Fraction())
