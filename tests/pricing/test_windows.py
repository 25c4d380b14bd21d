"""Work in the background that may take hours: its tokens cost less, and nothing else does."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from genai_prices.data_snapshot import get_snapshot

from monitor.errors import PricingError
from monitor.ledger.costs import priced_select
from monitor.ledger.prices import refresh_prices
from monitor.ledger.reprice import preview
from monitor.pricing.book import PriceBook
from monitor.pricing.explained import Asked, explain
from monitor.pricing.installed import installed_supplement
from monitor.pricing.own import require_price
from monitor.pricing.supplement import PriceRow
from monitor.pricing.units import is_factor, is_free
from monitor.records import Record
from tests.factories import NOW, make_record, make_usage
from tests.pricing.own_rows import book_with, day, own_factors
from tests.world import ALWAYS, World, price_book


def _asked(window: str | None, **changes: Any) -> Record:
    return make_record(**{"response_model": "gpt-5.4", "completion_window": window, **changes})


@pytest.mark.parametrize(("window", "factor"), [("2h", "0.7"), ("8h", "0.6")])
def test_every_part_of_the_tokens_costs_less(world: World, window: str, factor: str) -> None:
    """Each class that tokens are in, to the last digit; calls of tools and their models cost the same."""
    used = {
        "usage": make_usage(cache_read_input_tokens=300, reasoning_output_tokens=50),
        "tool_calls": {"web_search": 2},
        "tool_usage": {"input_tokens": 1_000, "output_tokens": 100},
        "tool_model": "gpt-5.4",
    }
    soon, later = _asked(None, **used), _asked(window, **used)
    world.store(soon, later)
    rows = [world.one(record) for record in (soon, later)]

    for name in ("input", "cache_read", "output"):
        assert rows[1][f"list_{name}_cost"] == rows[0][f"list_{name}_cost"] * Decimal(factor) > 0
    assert rows[0]["list_tools_cost"] == rows[1]["list_tools_cost"] > 0


def test_a_window_in_a_region_is_both(world: World) -> None:
    """A tenth more of two fifths less."""
    here, there = _asked(None), _asked("8h", region="eu")
    world.store(here, there)

    assert world.one(there)["list_cost"] == world.one(here)["list_cost"] * Decimal("0.66")


def test_a_window_that_is_not_known_has_no_price(world: World) -> None:
    """What it costs nobody can say; zero would be wrong, and so would the full price."""
    asked = _asked("3d")
    world.store(asked)

    assert (world.one(asked)["pricing_state"], world.one(asked)["list_cost"]) == ("unpriced", None)


def test_a_window_of_another_provider_changes_nothing(world: World) -> None:
    """It is OpenAI that sells time."""
    soon, later = (_asked(window, provider_name="azure.ai.openai") for window in (None, "8h"))

    assert world.cost(soon) == world.cost(later) is not None


def test_what_a_poll_tells_is_priced_by_the_window_of_the_request(world: World) -> None:
    """The answer that brings the usage says nothing of the window; the request that began the work did."""
    used = {"usage": make_usage(input_tokens=1_000, output_tokens=100), "answer_status": "completed"}
    begun = {"endpoint": "/responses", "usage": make_usage(input_tokens=None, output_tokens=None)}
    for number, window in enumerate((None, "8h")):
        name = f"resp_windows_{number}"
        asked = _asked(window, **begun, response_id=name, usage_source="none", answer_status="queued")
        poll = _asked(None, **used, response_id=name, endpoint="/responses/{id}", method="GET", usage_source="late")
        world.store(asked)
        world.store(poll)
    costs = world.rows(
        "select list_cost from requests where response_id like 'resp_windows_%' and list_cost > 0 order by response_id"
    )

    assert costs[1][0] == costs[0][0] * Decimal("0.6")


def _is_of_windows(row: PriceRow) -> bool:
    return any(unit.startswith("window:") for unit, _ in row.unit_prices())


def _book_of(*rows: PriceRow) -> PriceBook:
    """The installed lists with these rows in the place of what they say of windows."""
    found = installed_supplement()
    others = tuple(row for row in found.prices if not _is_of_windows(row))
    return PriceBook(get_snapshot().providers, "list", None, msgspec.structs.replace(found, prices=(*others, *rows)))


def test_a_factor_that_changes_on_a_day_holds_from_then_on(tmp_path: Path) -> None:
    """A row of the supplement that ends and one that follows, each for the requests of its time."""
    (row,) = (row for row in installed_supplement().prices if _is_of_windows(row))
    until = msgspec.structs.replace(row, valid_to=NOW.date())
    since = msgspec.structs.replace(row, valid_from=NOW.date(), each={"window:8h": Decimal("0.5")})
    asked = [_asked(window, started_at=NOW - timedelta(days=ago)) for ago in (1, 0) for window in (None, "8h", "2h")]
    with World(tmp_path, book=_book_of(until, since)) as world:
        world.store(*asked)
        full, *costs = (world.one(record)["list_cost"] for record in asked)

    assert costs == [full * Decimal("0.6"), full * Decimal("0.7"), full, full * Decimal("0.5"), None]


def test_an_own_factor_holds_for_its_days(tmp_path: Path) -> None:
    """In each tier; before and after, what the supplement says."""
    row = own_factors({"window:8h": "0.25"}, start=day(10), end=day(15))
    days = {9: "0.6", 10: "0.25", 14: "0.25", 15: "0.6"}
    with World(tmp_path, book=book_with(require_price(row))) as world:
        for tier in (None, "flex"):
            pairs = [[_asked(w, started_at=day(number), service_tier=tier) for w in (None, "8h")] for number in days]
            world.store(*(record for pair in pairs for record in pair))
            costs = [[world.one(record)["list_cost"] for record in pair] for pair in pairs]

            assert [later for _, later in costs] == [
                soon * Decimal(factor) for (soon, _), factor in zip(costs, days.values(), strict=True)
            ]


@pytest.mark.parametrize("provider", ["openai", "azure.ai.openai"])
def test_an_own_factor_makes_a_window_known(tmp_path: Path, provider: str) -> None:
    """One that nobody else names, and one of who sells no time."""
    row = own_factors({"window:3d": "0.25"}, provider="azure" if "azure" in provider else provider)
    with World(tmp_path, book=book_with(require_price(row))) as world:
        soon, later = (world.cost(_asked(window, provider_name=provider)) for window in (None, "3d"))

    assert soon is not None
    assert later == soon * Decimal("0.25")


@pytest.mark.parametrize("factor", ["0", "-1", "5.1", "1.0000001", "1e9"])
def test_a_factor_that_cannot_be_is_refused(factor: str) -> None:
    """It would make costs that no column holds."""
    with pytest.raises(PricingError, match="in the completion window 8h"):
        require_price(own_factors({"window:8h": factor}))


def test_a_factor_makes_nothing_priced() -> None:
    """A model whose work is free stays so, and one that has no price has none."""
    found = price_book().match("openai", "omni-moderation-latest").entries

    assert found
    assert all(is_free(entry.unit_prices) and "window:2h" in entry.unit_prices for entry in found)
    assert book_with(own_factors({"window:2h": "0.5"}, model="gpt-99")).match("openai", "gpt-99").entries == ()


def test_each_factor_names_who_says_it() -> None:
    """The supplement, or the very row of the user."""
    row = own_factors({"window:8h": "0.5"})
    found = explain(book_with(row), Asked(provider="openai", model="gpt-5.4", at=NOW))
    said = {one.unit: one.source for one in found.prices if is_factor(one.unit)}

    assert said.pop("window:8h") == f"own prices, {row.id}"
    assert {name.partition(" ")[0] for name in said.values()} == {"supplement"}
    assert [*said] == ["regional", "window:2h"]


def test_nothing_is_computed_where_no_record_has_a_window() -> None:
    """What a load does not have must not make its planning longer."""
    names = frozenset({"input_tokens", "output_tokens", "completion_window"})

    assert "window" in priced_select(("record_id",), names)
    assert "window" not in priced_select(("record_id",), names - {"completion_window"})


def _as_before(home: World) -> None:
    """Make the ledger one of the program that knew by itself what windows cost."""
    path = home.home.ledger
    home.close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("update alembic_version set version_num = '0010'")


def test_a_ledger_of_before_prices_windows_at_once_and_tells_of_no_change(tmp_path: Path) -> None:
    """Requests may come in before the first refresh; what it finds costs what it did."""
    asked = [_asked(window, response_model=model) for window in ("2h", "8h") for model in ("gpt-5.4", "gpt-4o")]
    old = World(tmp_path, book=_book_of())
    old.store(_asked(None), _asked(None, response_model="gpt-4o"))
    with old.ledger.writing() as cursor:
        cursor.execute("update prices set others = null where price_key = 'openai/gpt-4o'")
    _as_before(old)
    with World(tmp_path) as world:
        world.store(*asked)
        before = [world.one(record) for record in asked]
        refresh_prices(world.ledger, price_book())
        again = [msgspec.structs.replace(record, record_id=f"{number:032x}") for number, record in enumerate(asked, 1)]
        world.store(*again)
        after = [world.one(record) for record in again]

        assert [row["list_cost"] for row in before] == [row["list_cost"] for row in after]
        assert [row["pricing_state"] for row in before] == ["priced"] * 4
        assert not {row["sku_price_id"] for row in before} & {row["sku_price_id"] for row in after}
        assert world.value("select count(*) from price_changes where unit like 'window:%'") == 0
        assert preview(world.ledger, price_book(), ALWAYS).total.changed == 0


def test_a_refresh_makes_a_window_known_for_the_past_as_well(tmp_path: Path) -> None:
    """It was unpriced: what comes in later of that time is priced, and what is stored when it is priced again."""
    first, late = (_asked("8h", started_at=NOW - timedelta(days=ago)) for ago in (2, 3))
    with World(tmp_path, book=_book_of()) as world:
        assert world.cost(first) is None
        assert refresh_prices(world.ledger, price_book()) == 1

        assert world.cost(late) is not None
        assert preview(world.ledger, price_book(), ALWAYS).total.newly_priced == 1
