"""The entries of a model: what they cover, and that they cover it once."""

import itertools
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from genai_prices import types

from monitor.pricing.entries import PriceEntry, entries_of, is_priced_by_other_units, is_priced_by_time_of_day
from tests.pricing.books import changing_on, make_model, make_prices
from tests.pricing.parity import PROVIDERS, moments_of, priced_models, sizes_of
from tests.world import price_book


def _entries(model: types.ModelInfo, *, has_tiers: bool = True) -> list[PriceEntry]:
    return entries_of(model, price_key=f"openai/{model.id}", has_tiers=has_tiers, price_list="list 1")


def _holds(entry: PriceEntry, moment: datetime, size: int) -> bool:
    return (
        entry.valid_from <= moment
        and (entry.valid_to is None or moment < entry.valid_to)
        and entry.above_input_tokens < size
        and (entry.upto_input_tokens is None or size <= entry.upto_input_tokens)
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_exactly_one_entry_holds_for_any_request(provider: str) -> None:
    """For each model, moment, tier and size of prompt there is one price, not none and not two."""
    faults = []
    for name, model in priced_models((provider,)):
        entries = price_book().match(name, model.id).entries
        for (tier, is_batch), moment, size in itertools.product(
            (("default", False), ("flex", False), ("priority", False), ("default", True)),
            moments_of(model),
            (0, *sizes_of(model)),
        ):
            found = [e for e in entries if (e.service_tier, e.is_batch) == (tier, is_batch) and _holds(e, moment, size)]
            if entries and len(found) != 1:
                faults.append((model.id, tier, is_batch, moment, size, len(found)))

    assert faults == []


def test_every_entry_has_an_id_of_its_own() -> None:
    """A row's price id leads to one entry."""
    ids = {
        entry.sku_price_id: entry
        for provider, model in priced_models()
        for entry in price_book().match(provider, model.id).entries
    }
    entries = set(map(repr, ids.values()))

    assert len(ids) == len(entries)


def test_a_changed_figure_changes_the_id() -> None:
    """An entry that was ever true keeps its name; a new price is a new entry."""
    (old, *_), (new, *_) = (
        _entries(make_model("m", make_prices(input_mtok=price, output_mtok="8"))) for price in ("2", "3")
    )

    assert old.sku_price_id != new.sku_price_id


def test_equal_facts_give_equal_ids() -> None:
    """In every process and version, whatever the order of the prices in the list."""
    first = _entries(make_model("m", make_prices(input_mtok="2", output_mtok="8")))
    again = _entries(make_model("m", make_prices(output_mtok="8", input_mtok="2")))

    assert [entry.sku_price_id for entry in first] == [entry.sku_price_id for entry in again]


def test_a_price_changes_at_midnight_utc() -> None:
    """The old entry ends where the new one begins."""
    day = date(2026, 6, 1)
    model = make_model("m", changing_on(day, make_prices(input_mtok="2"), make_prices(input_mtok="1")))
    old, new = (entry for entry in _entries(model) if (entry.service_tier, entry.is_batch) == ("default", False))
    midnight = datetime.combine(day, time(), tzinfo=UTC)

    assert (old.valid_to, new.valid_from, new.valid_to) == (midnight, midnight, None)


def test_a_step_of_size_is_a_cliff() -> None:
    """One token more, and all tokens cost the higher price."""
    steps = types.TieredPrices(base=Decimal(2), tiers=[types.Tier(start=272_000, price=Decimal(4))])
    short, long = _entries(make_model("m", types.ModelPrice(input_mtok=steps)))[:2]

    assert (short.upto_input_tokens, short.unit_prices["input"]) == (272_000, Decimal("0.000002"))
    assert (long.above_input_tokens, long.unit_prices["input"]) == (272_000, Decimal("0.000004"))


def test_a_borrowed_model_has_no_tiers() -> None:
    """A model of another provider's list costs the same in every tier, as in genai-prices."""
    flex = types.PriceVariant(when={"service_tier": "flex"}, prices=make_prices(input_mtok="1"))
    model = make_model("m", make_prices(input_mtok="2"), [flex])

    assert {entry.unit_prices["input"] for entry in _entries(model, has_tiers=False)} == {Decimal("0.000002")}


def test_a_model_priced_by_the_time_of_day_is_known() -> None:
    """Its price cannot be told from an entry, so it must not get one."""
    night = types.TimeOfDateConstraint(start_time=time(1), end_time=time(5))
    model = make_model("m", [types.ConditionalPrice(constraint=night, prices=make_prices(input_mtok="1"))])

    assert is_priced_by_time_of_day(model)


@pytest.mark.parametrize(
    ("prices", "is_other"),
    [
        ({"input_document_kpages": "1"}, True),
        ({"web_searches_kcount": "10"}, True),
        ({"input_mchars": "15"}, False),
        ({"input_mtok": "1"}, False),
        ({}, False),
    ],
)
def test_a_model_priced_by_pages_is_known(prices: dict[str, str], is_other: bool) -> None:
    """An entry cannot tell its cost; a model without any price is free."""
    assert is_priced_by_other_units(make_model("m", make_prices(**prices))) is is_other
