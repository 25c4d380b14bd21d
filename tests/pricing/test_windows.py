"""Work in the background that may take hours: its tokens cost less, and nothing else does."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from monitor.records import Record
from tests.factories import make_record, make_usage
from tests.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("windows")) as world:
        yield world


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
