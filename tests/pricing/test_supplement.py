"""Our own prices: what their data must be, and that they change nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import types

from monitor.errors import PricingError
from monitor.pricing.book import PriceBook
from monitor.pricing.entries import PriceEntry
from monitor.pricing.installed import installed_supplement
from monitor.pricing.supplement import Supplement, read_supplement
from monitor.pricing.units import KINDS, UNITS
from tests.factories import NOW
from tests.pricing.books import changing_on, make_model, make_prices
from tests.pricing.parity import OWN_PROVIDERS, list_book, moments_of, priced_models, sizes_of
from tests.pricing.supplement_table import table_of
from tests.world import price_book

_HEAD = """
version = 2026-11-21
[sources]
page = "a page"
"""
_ROW = 'provider = "openai"\nmodels = ["m"]\nsource = "page"\nchecked = 2026-11-20\n'
_TIERS = (("default", False), ("flex", False), ("priority", False), ("default", True))


def _with(rows: str) -> Supplement:
    return read_supplement(_HEAD + rows)


def _book(rows: str, *models: types.ModelInfo) -> PriceBook:
    provider = types.Provider(id="openai", name="openai", api_pattern="openai", models=list(models))
    return PriceBook([provider], "list 1", supplement=_with(rows))


def _entry(
    book: PriceBook, model: str, *, tier: str = "default", is_batch: bool = False, at: datetime = NOW
) -> PriceEntry:
    (found,) = [
        entry
        for entry in book.match("openai", model).entries
        if (entry.service_tier, entry.is_batch) == (tier, is_batch)
        and entry.valid_from <= at
        and (entry.valid_to is None or at < entry.valid_to)
    ]
    return found


def _per_million(entry: PriceEntry) -> dict[str, Decimal]:
    return {unit: price * 1_000_000 for unit, price in entry.unit_prices.items()}


def test_each_row_is_dated_and_was_checked() -> None:
    """Against a source that is told, not after the version of the list."""
    found = installed_supplement()

    rows = (*found.prices, *found.multiples, *found.tiers)

    assert max(row.checked for row in found.names) <= found.version
    assert max(row.checked for row in rows) <= found.version
    assert all(row.valid_from is None or row.valid_to is None or row.valid_from < row.valid_to for row in rows)


def test_each_row_is_about_a_model() -> None:
    """That the list knows, or that it names itself; a slip in a name would price nothing."""
    found = installed_supplement()
    known = {(provider, model.id) for provider, model in priced_models(OWN_PROVIDERS)}
    known |= {("azure", model) for provider, model in known if provider == "openai"}
    known |= {(row.provider, row.model) for row in found.names}
    patterns = {
        (row.provider, pattern)
        for row in (*found.prices, *found.multiples, *found.tiers)
        for pattern in row.models
        if "*" not in pattern
    }

    assert patterns - known == set()


def test_each_name_leads_to_prices() -> None:
    """A name of a model that has none would be free."""
    for row in installed_supplement().names:
        for name in row.names:
            found = price_book().match(row.provider, name.replace("*", "acme::1"))
            assert found.entries != (), name
            assert any(
                unit in UNITS or unit.startswith(("image", "video", "storage")) for unit in found.entries[0].unit_prices
            )


def test_it_changes_nothing_but_what_it_says() -> None:
    """Of a model that the list knows, all other units cost what the list says, from the day it has the tier."""
    faults = []
    for provider, model in priced_models(OWN_PROVIDERS):
        ours, theirs = (book.match(provider, model.id).entries for book in (price_book(), list_book()))
        for tier, is_batch in _TIERS:
            for moment in [NOW, *moments_of(model)]:
                for size in sizes_of(model):
                    before, after = (_prices_at(entries, tier, is_batch, moment, size) for entries in (theirs, ours))
                    is_before_tiers = (tier, is_batch) != ("default", False) and moment < datetime(
                        2026, 10, 14, tzinfo=UTC
                    )
                    changed = {unit for unit, price in before.items() if after.get(unit) != price}
                    if changed and not is_before_tiers:
                        faults.append((model.id, tier, is_batch, moment, size, changed))

    known = {
        ("o3", "cache_read"),
        ("gpt-5.5-pro", "input"),
        ("gpt-5.5-pro", "output"),
        *((model, unit) for model in ("davinci-002", "babbage-002") for unit in ("input", "output")),
        *((f"text-embedding-{name}", "input") for name in ("3-small", "3-large", "ada-002")),
        *(("chatgpt-image-latest", unit) for unit in ("input", "cache_read", "input_image", "cache_read_image")),
        *(("chatgpt-image-latest", unit) for unit in ("output", "output_image")),
    }
    assert {(model, unit) for model, *_, changed in faults for unit in changed} == known


def _prices_at(
    entries: tuple[PriceEntry, ...], tier: str, is_batch: bool, moment: datetime, size: int
) -> dict[str, Decimal]:
    for entry in entries:
        if (
            (entry.service_tier, entry.is_batch) == (tier, is_batch)
            and entry.valid_from <= moment
            and (entry.valid_to is None or moment < entry.valid_to)
            and entry.above_input_tokens < size <= (entry.upto_input_tokens or size)
        ):
            return entry.unit_prices
    return {}


def test_a_price_of_ours_beats_the_lists() -> None:
    """For the same unit; the others stay."""
    book = _book(
        f'[[prices]]\n{_ROW}per_million = {{ output = "9" }}',
        make_model("m", make_prices(input_mtok="2", output_mtok="8")),
    )

    assert _per_million(_entry(book, "m")) == {"input": 2, "output": 9}
    assert _entry(book, "m").price_list == "list 1 and supplement 2026-11-21"


def test_dates_of_ours_and_of_the_list_split_the_time_together() -> None:
    """Each span has its own entry, and they meet."""
    model = make_model("m", changing_on(date(2026, 3, 1), make_prices(input_mtok="2"), make_prices(input_mtok="1")))
    book = _book(
        f'[[prices]]\n{_ROW}valid_from = 2026-02-01\nvalid_to = 2026-05-01\nper_million = {{ output = "9" }}', model
    )
    spans = [
        (entry.valid_from.month, entry.valid_to.month if entry.valid_to else None, _per_million(entry))
        for entry in book.match("openai", "m").entries
        if (entry.service_tier, entry.is_batch) == ("default", False)
    ]

    assert spans == [
        (1, 2, {"input": Decimal(2)}),
        (2, 3, {"input": Decimal(2), "output": Decimal(9)}),
        (3, 5, {"input": Decimal(1), "output": Decimal(9)}),
        (5, None, {"input": Decimal(1)}),
    ]


def test_a_tier_was_there_before_the_list_had_it() -> None:
    """At the same ratio to the price of its time, to the digit; and not before its own beginning."""
    flex = types.PriceVariant(
        when={"service_tier": "flex"},
        constraint=types.StartDateConstraint(start_date=date(2026, 10, 12)),
        prices=make_prices(input_mtok="0.1", output_mtok="0.4"),
    )
    prices = changing_on(
        date(2026, 6, 1),
        make_prices(input_mtok="3", output_mtok="8"),
        make_prices(input_mtok="0.3", output_mtok="1.2"),
    )
    book = _book(f'[[tiers]]\n{_ROW}tier = "flex"\nvalid_from = 2025-04-01', make_model("m", prices, [flex]))
    found = {
        (year, month): _per_million(_entry(book, "m", tier="flex", at=datetime(year, month, 2, tzinfo=UTC)))
        for year, month in ((2025, 3), (2025, 4), (2026, 7), (2026, 11))
    }

    assert found == {
        (2025, 3): {"input": 3, "output": 8},
        (2025, 4): {"input": 1, "output": Decimal("2.666666666667")},
        (2026, 7): {"input": Decimal("0.1"), "output": Decimal("0.4")},
        (2026, 11): {"input": Decimal("0.1"), "output": Decimal("0.4")},
    }


def test_a_tier_without_prices_of_its_own_costs_the_standard() -> None:
    """With what the supplement says of the standard price: units it adds, and those it corrects."""
    rows = f'[[prices]]\n{_ROW}per_million = {{ trained = "25", output = "9" }}'
    found = _book(rows, make_model("m", make_prices(input_mtok="2", output_mtok="8"))).match("openai", "m").entries

    assert [_per_million(entry) for entry in found] == [{"input": 2, "output": 9, "trained": 25}] * 4


def test_a_model_of_ours_has_the_tiers_that_have_prices() -> None:
    """In no other one is its price known."""
    rows = f"""
        [[names]]
        provider = "openai"
        model = "m"
        names = ["m-*"]
        source = "page"
        checked = 2026-11-20
        [[prices]]
        {_ROW}
        valid_from = 2026-01-01
        per_million = {{ input = "2" }}
        [[prices]]
        {_ROW}
        tiers = ["batch"]
        valid_from = 2026-01-01
        per_million = {{ input = "1" }}
        [[prices]]
        {_ROW}
        each = {{ "tool:mcp" = "0" }}
    """
    found = _book(rows).match("openai", "m-7")

    assert [(entry.service_tier, entry.is_batch, entry.valid_from.year) for entry in found.entries] == [
        ("default", False, 2026),
        ("default", True, 2026),
    ]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("[[", "cannot be read"),
        (f"[[prices]]\n{_ROW}per_million = {{ input = '2,5' }}", "cannot be read"),
        (f'[[prices]]\n{_ROW}per_milion = {{ input = "2.5" }}', "per_milion"),
        (f'[[prices]]\n{_ROW}per_million = {{ inputs = "2.5" }}', "inputs is no unit"),
        (f'[[prices]]\n{_ROW}each = {{ "image:" = "2.5" }}', "image: is no unit"),
        (f'[[prices]]\n{_ROW}each = {{ request = "-1" }}', "request cannot cost -1"),
        (f'[[prices]]\n{_ROW}each = {{ "window:2h" = "0" }}', "window:2h cannot be 0 times"),
        (f'[[prices]]\n{_ROW}each = {{ regional = "5.1" }}', "regional cannot be 5.1 times"),
        (f'[[prices]]\n{_ROW}tiers = ["fast"]', "fast is no tier"),
        (f'[[tiers]]\n{_ROW}tier = "slow"', "slow is no tier"),
        (f'[[tiers]]\n{_ROW.replace("page", "rumour")}tier = "flex"', "rumour is no source"),
        (f'[[multiples]]\n{_ROW}tiers = ["*"]\nunits = ["inputs"]\ntimes = "2"', "inputs is no unit"),
    ],
)
def test_a_faulty_row_is_refused(rows: str, fault: str) -> None:
    """With the value that is wrong."""
    with pytest.raises(PricingError, match="supplement of prices") as found:
        _with(rows)

    assert fault in str(found.value)


_DOCS = (Path(__file__).parents[2] / "docs" / "pricing.md").read_text("utf-8")


@pytest.mark.parametrize("unit", [*UNITS, *(f"{kind}:" for kind in KINDS)])
def test_every_unit_is_told(unit: str) -> None:
    """docs/pricing.md has a row for each."""
    ending = "" if unit.endswith(":") else "`"

    assert any(line.startswith(f"| `{unit}{ending}") for line in _DOCS.splitlines())


def test_every_row_is_told() -> None:
    """docs/pricing.md has the table as the data are now; `python -m tests.pricing.supplement_table` prints it."""
    assert table_of(installed_supplement()) in _DOCS
