"""Prices that change: the past stays as it was told, from now on the new holds."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.pricing.entries import PriceEntry, identified
from monitor.pricing.history import changed_figures, kept_past

_DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = [_DAY_0 + timedelta(days=number) for number in range(6)]
_NOW = _DAYS[3]
_SIZES = (-1, 100, 200)
_TIERS = (("default", False), ("default", True), ("flex", False))
_TOKEN_UNITS = ("input", "cache_read", "output")
_MOMENTS = [day + timedelta(hours=hours) for day in _DAYS for hours in (-1, 0, 1)]
_PROMPTS = (0, 100, 101, 200, 201)

Prices = dict[str, Decimal]


def _entry(
    prices: Prices,
    *,
    start: datetime = _DAYS[0],
    end: datetime | None = None,
    above: int = -1,
    upto: int | None = None,
    tier: tuple[str, bool] = _TIERS[0],
    own: tuple[str, ...] = (),
    price_list: str = "list",
) -> PriceEntry:
    entry = PriceEntry(
        sku_price_id="",
        price_key="openai/m",
        service_tier=tier[0],
        is_batch=tier[1],
        above_input_tokens=above,
        upto_input_tokens=upto,
        valid_from=start,
        valid_to=end,
        unit_prices=prices,
        price_list=price_list,
        own_units=own,
    )
    return identified(entry)


def _usd(**prices: str) -> Prices:
    return {unit.replace("__", ":"): Decimal(price) for unit, price in prices.items()}


def _holding(entries: list[PriceEntry], tier: tuple[str, bool], moment: datetime, tokens: int) -> list[PriceEntry]:
    return [
        one
        for one in entries
        if (one.service_tier, one.is_batch) == tier
        and one.valid_from <= moment
        and (one.valid_to is None or moment < one.valid_to)
        and one.above_input_tokens < tokens
        and (one.upto_input_tokens is None or tokens <= one.upto_input_tokens)
    ]


def _prices_at(entries: list[PriceEntry], tier: tuple[str, bool], moment: datetime, tokens: int) -> Prices | None:
    found = _holding(entries, tier, moment, tokens)
    return found[0].unit_prices if found else None


_PRICES = st.dictionaries(
    st.sampled_from(_TOKEN_UNITS), st.sampled_from([Decimal("0.1"), Decimal("0.2")]), min_size=1, max_size=2
)


@st.composite
def _lists(draw: st.DrawFn) -> list[PriceEntry]:
    """Entries that do not overlap, with gaps in time, some of them cut by the size of the prompt."""
    found = []
    for tier in draw(st.lists(st.sampled_from(_TIERS), unique=True)):
        starts = sorted(draw(st.sets(st.sampled_from(_DAYS), min_size=1, max_size=3)))
        for start, end in itertools.pairwise([*starts, None]):
            assert start is not None
            if draw(st.booleans()):
                continue
            floors = [-1, *sorted(draw(st.sets(st.sampled_from(_SIZES[1:]))))]
            for above, upto in itertools.pairwise([*floors, None]):
                assert above is not None
                found.append(_entry(draw(_PRICES), start=start, end=end, above=above, upto=upto, tier=tier))
    return found


_CELLS = list(itertools.product(_TIERS, _MOMENTS, _PROMPTS))
_quick = settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))


@_quick
@given(old=_lists(), new=_lists())
def test_the_past_stays_and_the_new_holds_from_now_on(old: list[PriceEntry], new: list[PriceEntry]) -> None:
    """At every moment, size and tier at most one entry: before now the old one, else the new one."""
    merged = kept_past(old, new, _NOW)

    for tier, moment, tokens in _CELLS:
        before, after = (_prices_at(entries, tier, moment, tokens) for entries in (old, new))
        expected = before if moment < _NOW and before is not None else after
        assert _prices_at(merged, tier, moment, tokens) == expected
        assert len(_holding(merged, tier, moment, tokens)) <= 1


@_quick
@given(old=_lists(), new=_lists(), later=st.sampled_from(_DAYS[3:]))
def test_merging_again_changes_nothing(old: list[PriceEntry], new: list[PriceEntry], later: datetime) -> None:
    """Neither at once nor later."""
    merged = kept_past(old, new, _NOW)

    assert _by_id(kept_past(merged, new, later)) == _by_id(merged)
    assert changed_figures(merged, kept_past(merged, new, later), later) == []


@_quick
@given(old=_lists())
def test_the_same_list_keeps_its_ids(old: list[PriceEntry]) -> None:
    """Where no figure changes, the entries that cells are put together to again cost the same everywhere."""
    merged = kept_past(old, old, _NOW)

    for tier, moment, tokens in _CELLS:
        assert _prices_at(merged, tier, moment, tokens) == _prices_at(old, tier, moment, tokens)
    assert changed_figures(old, merged, _NOW) == []


@_quick
@given(old=_lists(), new=_lists())
def test_each_difference_from_now_on_is_told(old: list[PriceEntry], new: list[PriceEntry]) -> None:
    """A figure that is another than before, at any moment, is the last change that was told of it."""
    merged = kept_past(old, new, _NOW)
    told = changed_figures(old, merged, _NOW)

    for tier, moment, tokens in _CELLS:
        before, after = (_prices_at(entries, tier, moment, tokens) or {} for entries in (old, merged))
        for unit in _TOKEN_UNITS:
            if moment >= _NOW and before.get(unit) != after.get(unit):
                changes = [
                    change
                    for change in told
                    if (change.service_tier, change.is_batch, change.unit) == (*tier, unit)
                    and change.valid_from <= moment
                    and change.above_input_tokens < tokens
                ]
                assert any((one.before, one.after) == (before.get(unit), after.get(unit)) for one in changes)


def _by_id(entries: list[PriceEntry]) -> dict[str, PriceEntry]:
    return {entry.sku_price_id: entry for entry in entries}


def _spans(entries: list[PriceEntry]) -> Iterator[tuple[datetime, datetime | None, Prices]]:
    return ((one.valid_from, one.valid_to, one.unit_prices) for one in entries)


def test_a_corrected_price_begins_now() -> None:
    """The list says it was always so; requests of the past keep what they were asked."""
    merged = kept_past([_entry(_usd(input="2"))], [_entry(_usd(input="3"))], _NOW)

    assert list(_spans(merged)) == [(_DAYS[0], _NOW, _usd(input="2")), (_NOW, None, _usd(input="3"))]


def test_an_entry_that_ends_keeps_its_id() -> None:
    """The rows that name it were priced by it."""
    old = _entry(_usd(input="2"))

    assert kept_past([old], [_entry(_usd(input="3"))], _NOW)[0].sku_price_id == old.sku_price_id


def test_a_price_that_the_list_dates_holds_as_dated() -> None:
    """Announced for a later day, it begins then."""
    announced = [_entry(_usd(input="2"), end=_DAYS[4]), _entry(_usd(input="1"), start=_DAYS[4])]

    assert kept_past([_entry(_usd(input="2"))], announced, _NOW) == announced


def test_the_first_price_of_a_tool_holds_for_the_past() -> None:
    """Its calls were unpriced; a price of cached tokens would change what is known."""
    new = _entry(_usd(input="2", cache_read="1", tool__search="0.01"))
    merged = kept_past([_entry(_usd(input="2"))], [new], _NOW)

    assert [one.unit_prices for one in merged] == [_usd(input="2", tool__search="0.01"), new.unit_prices]


def test_the_first_factor_of_a_completion_window_holds_for_the_past() -> None:
    """Requests with it were unpriced; that of a region would change what is known."""
    new = _entry(_usd(input="2", window__2h="0.7", regional="1.1"))
    merged = kept_past([_entry(_usd(input="2"))], [new], _NOW)

    assert [one.unit_prices for one in merged] == [_usd(input="2", window__2h="0.7"), new.unit_prices]


def test_a_price_of_a_picture_is_a_first_one_only_where_no_other_picture_had_one() -> None:
    """A size without a price of its own cost what the default size does."""
    old, new = _usd(image__default="1"), _usd(image__default="1", image__hd="2")

    assert kept_past([_entry(old)], [_entry(new)], _NOW)[0].unit_prices == old
    assert kept_past([_entry(_usd(input="1"))], [_entry(new)], _NOW)[0].unit_prices == new | _usd(input="1")


def test_own_prices_hold_as_they_are_dated() -> None:
    """What the user says of the past holds for it; the other units keep theirs."""
    new = _entry(_usd(input="5", output="9"), own=("input",), price_list="list and own prices")
    merged = kept_past([_entry(_usd(input="2", output="8"))], [new], _NOW)

    assert [one.unit_prices for one in merged] == [_usd(input="5", output="8"), _usd(input="5", output="9")]
    assert [one.price_list for one in merged] == ["list and own prices"] * 2


def test_an_own_price_that_is_taken_back_is_gone_for_the_past_as_well() -> None:
    """As if it had never been said."""
    old = _entry(_usd(input="5", output="8"), own=("input",))

    assert kept_past([old], [_entry(_usd(input="2", output="8"))], _NOW) == [_entry(_usd(input="2", output="8"))]


def test_a_price_that_is_gone_ends_now() -> None:
    """Requests from before still have it."""
    assert list(_spans(kept_past([_entry(_usd(input="2"))], [], _NOW))) == [(_DAYS[0], _NOW, _usd(input="2"))]


def test_a_change_is_told_once_for_all_sizes_of_prompt() -> None:
    """Where each size has a price of its own, each is told."""
    old = [_entry(_usd(input="1"), upto=100), _entry(_usd(input="2"), above=100)]
    flat = changed_figures([_entry(_usd(input="1"))], [_entry(_usd(input="3"))], _NOW)

    assert [(one.above_input_tokens, one.before, one.after) for one in flat] == [(-1, Decimal(1), Decimal(3))]
    assert [(one.above_input_tokens, one.before) for one in changed_figures(old, [_entry(_usd(input="3"))], _NOW)] == [
        (-1, Decimal(1)),
        (100, Decimal(2)),
    ]


def test_an_announced_change_is_told_with_its_day() -> None:
    """And with who says so."""
    announced = [
        _entry(_usd(input="2"), end=_DAYS[4]),
        _entry(_usd(input="1"), start=_DAYS[4], price_list="list 2"),
    ]
    (told,) = changed_figures([_entry(_usd(input="2"))], announced, _NOW)

    assert (told.valid_from, told.before, told.after, told.price_list) == (_DAYS[4], Decimal(2), Decimal(1), "list 2")


def test_a_change_is_told_once_though_another_unit_is_cut_by_size() -> None:
    """Input costs the same at any size, output does not."""
    old, new = (
        [_entry(_usd(input=usd, output="5"), upto=100), _entry(_usd(input=usd, output="6"), above=100)]
        for usd in ("1", "3")
    )

    assert [(one.unit, one.above_input_tokens) for one in changed_figures(old, new, _NOW)] == [("input", -1)]


def test_of_a_found_price_only_what_holds_now_or_later_is_told() -> None:
    """What it had been before is nobody's surprise."""
    new = [_entry(_usd(input="1"), end=_DAYS[2]), _entry(_usd(input="2"), start=_DAYS[2])]

    assert [(one.after, one.valid_from) for one in changed_figures([], new, _NOW)] == [(Decimal(2), _DAYS[2])]
