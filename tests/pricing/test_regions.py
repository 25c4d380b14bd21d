"""Tokens that are processed in a region: how many times they cost, and what beside them does not."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import PricingError
from monitor.pricing.own import require_price
from monitor.pricing.units import REGIONAL, TOKEN_UNITS, UNITS, is_free
from monitor.records import Record
from tests.factories import make_record, make_usage
from tests.pricing.own_rows import book_with, own_factors
from tests.world import World


def _asked(region: str | None, **changes: Any) -> Record:
    return make_record(**{"response_model": "gpt-5.4", "region": region, **changes})


def test_every_part_of_the_tokens_costs_more(world: World) -> None:
    """Each class that tokens are in, to the last digit."""
    usage = make_usage(cache_read_input_tokens=300, reasoning_output_tokens=50)
    here, there = _asked(None, usage=usage), _asked("eu", usage=usage)
    world.store(here, there)
    costs = [
        [world.one(record)[f"list_{name}_cost"] for name in ("input", "cache_read", "output")]
        for record in (here, there)
    ]

    assert costs[1] == [cost * Decimal("1.1") for cost in costs[0]]


def test_fees_beside_tokens_cost_the_same(world: World) -> None:
    """Searches and sessions of containers."""
    used = {"tool_calls": {"web_search": 2}, "container_memory": "4g"}
    here, there = (_asked(region, containers=[f"cntr_{region}"], **used) for region in (None, "eu"))
    world.store(here, there)

    assert [world.one(record)["list_tools_cost"] for record in (here, there)] == [Decimal("0.14")] * 2


def test_the_model_of_a_tool_has_its_own_factor(world: World) -> None:
    """One that came out later costs more, though the model that answers does not."""
    used = {"tool_usage": {"input_tokens": 1_000, "output_tokens": 100}, "tool_model": "gpt-5.4"}
    here, there = (_asked(region, response_model="gpt-4.1", **used) for region in (None, "eu"))
    world.store(here, there)
    rows = [world.one(record) for record in (here, there)]

    assert [row["list_tools_cost"] for row in rows] == [Decimal("0.004"), Decimal("0.0044")]
    assert rows[0]["list_input_cost"] == rows[1]["list_input_cost"]


def test_a_region_of_another_provider_changes_nothing(world: World) -> None:
    """Its prices have no such factor."""
    assert world.cost(_asked("eu", provider_name="azure.ai.openai")) == world.cost(
        _asked(None, provider_name="azure.ai.openai")
    )


def test_a_factor_makes_nothing_priced() -> None:
    """A list that has it and no other price is that of free work, as one that has none."""
    assert is_free([REGIONAL, "tool:mcp"])
    assert not is_free([REGIONAL, "input"])
    assert {*UNITS} - {*TOKEN_UNITS} == {"audio_second", "character", "trained", "request", REGIONAL}


def test_an_own_factor_holds(tmp_path: Path) -> None:
    """As other prices of one's own do."""
    here, there = _asked(None, response_model="gpt-4o-mini"), _asked("jp", response_model="gpt-4o-mini")
    with World(tmp_path, book=book_with(own_factors({"regional": "2"}))) as world:
        world.store(here, there)

        assert world.one(there)["list_cost"] == 2 * world.one(here)["list_cost"]


@pytest.mark.parametrize("factor", ["0", "-1", "5.1", "1.0000001", "1e9"])
def test_a_factor_that_cannot_be_is_refused(factor: str) -> None:
    """It would make costs that no column holds."""
    with pytest.raises(PricingError, match="in a region"):
        require_price(own_factors({"regional": factor}))
