"""What-if: recorded requests costed under something other, to the last digit, and nothing left out in silence."""

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.errors import LedgerError, PricingError
from monitor.ledger import queries
from monitor.ledger.retention import forget
from monitor.ledger.scopes import Slice
from monitor.ledger.whatif import WhatIf, what_if
from monitor.pricing.installed import Pricer
from monitor.pricing.own import OwnPrices
from monitor.pricing.scenario import Scenario, models_then
from monitor.records import Record
from tests.factories import NOW, make_failure, make_record, make_usage
from tests.pricing.own_rows import book_with, own_name, own_price
from tests.world import ALWAYS, World, price_book

_DAY = timedelta(days=1)
_MODELS = ("gpt-4o-2024-08-06", "gpt-5-mini", "o3", "gpt-99", "gpt-audio", "text-embedding-3-small")


def _crowd(seed: int, number: int = 80) -> list[Record]:
    chance = random.Random(seed)
    return [
        make_record(
            usage=make_usage(
                input_tokens=chance.randrange(10**6),
                output_tokens=chance.choice([0, chance.randrange(10**5)]),
                cache_read_input_tokens=chance.choice([None, 0, 5_000]),
                input_audio_tokens=chance.choice([None, 0, 900]),
                cache_read_audio_tokens=chance.choice([None, 0, 300]),
            ),
            response_model=chance.choice(_MODELS),
            service_tier=chance.choice([None, "default", "flex", "priority"]),
            is_batch=chance.random() < 0.2,
            started_at=NOW - chance.randrange(72) * timedelta(hours=1),
            team=chance.choice([None, "search", "ads"]),
            tool_calls=chance.choice([None, None, {"web_search": 2}]),
        )
        for _ in range(number)
    ]


def _ask(world: World, by: str = "model", span: Slice = ALWAYS, **scenario: Any) -> WhatIf:
    return what_if(world.ledger, price_book(), span, Scenario(**scenario), by=by)


@pytest.mark.parametrize(
    "scenario",
    [{}, {"models": (("gpt-4o", "openai/gpt-4o"),)}, {"own": OwnPrices()}, {"models": (("no-such", "gpt-5"),)}],
)
def test_nothing_other_costs_what_it_cost(world: World, scenario: dict[str, Any]) -> None:
    """To the last digit, in total and in each group, whether or not it is costed again."""
    world.store(*_crowd(1), make_failure())
    found = _ask(world, "team", **scenario)
    groups = {group.value: group.totals.list_cost for group in queries.by_dimension(world.ledger, ALWAYS, "team")}

    assert found.total.list_cost_then == found.total.list_cost == queries.totals(world.ledger, ALWAYS).list_cost
    assert {row.value: row.list_cost_then for row in found.rows} == groups
    assert found.total.difference == 0


@pytest.mark.parametrize("by", ["model", "team", "service_tier", "user", "error_class"])
def test_any_split_adds_up_to_the_whole(shared: World, by: str) -> None:
    """Counts and sums of all groups come to the total; the total is the same by whatever is split."""
    if not shared.value("select count(*) from requests"):
        shared.store(*_crowd(2))
    scenario: dict[str, Any] = {"models": (("gpt-4o*", "gpt-4o-mini"),), "tier": "flex", "cache_rate": Decimal("0.333")}
    found, whole = _ask(shared, by, **scenario), _ask(shared, "service", **scenario)

    assert found.total == whole.total
    for name in ("requests", "compared_requests", "list_cost", "list_cost_then", "left_out_list_cost"):
        assert sum(getattr(row, name) or 0 for row in found.rows) == (getattr(found.total, name) or 0)


def test_order_and_batching_change_nothing(world: World, tmp_path: Path) -> None:
    """The same requests stored in another order, in other batches."""
    records = _crowd(3)
    world.store(*records)
    scenario: dict[str, Any] = {"cache_rate": Decimal("0.123456"), "factor": Decimal("0.854321"), "tier": "batch"}
    with World(tmp_path / "other") as other:
        for start in range(0, len(records), 30):
            other.store(*records[::-1][start : start + 30])

        assert _ask(other, **scenario) == _ask(world, **scenario)


def _other(record: Record, scenario: Scenario) -> Record:
    """The record as it would have been, in Python."""
    facts: dict[str, Any] = {}
    model = (record.provider_name, record.response_model or "")
    moved = models_then(scenario, price_book(), [model]).get(model)
    if moved is not None:
        facts |= {"provider_name": moved[0], "response_model": moved[1]}
    if scenario.tier is not None:
        is_batch = scenario.tier == "batch"
        facts |= {"is_batch": is_batch} | ({} if is_batch else {"service_tier": scenario.tier})
    if scenario.cache_rate is not None and record.input_tokens is not None:
        wanted = int((record.input_tokens * scenario.cache_rate).quantize(Decimal(1), "ROUND_HALF_UP"))
        cached_audio = record.cache_read_audio_tokens or 0
        most = record.input_tokens - (record.input_audio_tokens or 0) + cached_audio
        if most >= cached_audio:
            facts["cache_read_input_tokens"] = max(cached_audio, min(most, wanted))
    return msgspec.structs.replace(record, **facts)


_SCENARIOS = (
    Scenario(models=(("gpt-4o", "gpt-4o-mini"), ("o3", "gpt-5"))),
    Scenario(models=(("*", "gpt-4.1"),), tier="batch"),
    Scenario(tier="flex"),
    Scenario(tier="priority", cache_rate=Decimal("0.6")),
    Scenario(cache_rate=Decimal(1)),
    Scenario(cache_rate=Decimal(0), models=(("gpt-5*", "azure/gpt-4o"),)),
)


def test_each_request_costs_what_it_would_have_cost(shared: World) -> None:
    """As the Python twin says of the record with other facts; parts stay possible at any cache rate."""
    records = [
        msgspec.structs.replace(record, host="twin", user=str(number)) for number, record in enumerate(_crowd(4))
    ]
    shared.store(*records)
    price = Pricer(price_book())
    for scenario in _SCENARIOS:
        found = what_if(shared.ledger, price_book(), ALWAYS, scenario, by="user")
        costs = {row.value: row.list_cost_then for row in found.rows}
        expected = {
            record.user: price(_other(record, scenario)).list_cost if price(record).list_cost is not None else None
            for record in records
        }

        assert {user: costs[user] for user in expected} == expected


def test_a_snapshot_is_meant_by_the_name_of_its_model(world: World) -> None:
    """A request answered by gpt-4o-2024-08-06 went to gpt-4o; one answered by gpt-4o-mini did not."""
    world.store(make_record(), make_record(response_model="gpt-4o-mini-2024-07-18"))
    found = _ask(world, models=(("gpt-4o", "gpt-5"), ("openai/gpt-4o*", "o3")))
    then = {row.value: row.list_cost_then for row in found.rows}

    assert then == {"gpt-4o-2024-08-06": Decimal("0.00225"), "gpt-4o-mini-2024-07-18": Decimal("0.0028")}


def test_what_cannot_be_costed_is_named_and_counted(world: World) -> None:
    """Now, or only then; its cost is in neither sum, and what it costs now is told."""
    world.store(
        make_record(team="search"),
        make_record(team="search", response_model="o3"),
        make_record(team="ads", response_model="gpt-99"),
        make_record(team="ads", response_model="gpt-99", usage=make_usage(cache_read_input_tokens=2_000)),
        make_record(team="ads", usage_source="none"),
        make_record(team="ads", usage=make_usage(cache_read_input_tokens=2_000)),
    )
    found = _ask(world, "team", models=(("o3", "gpt-77"), ("gpt-99", "gpt-5")))
    left_out = {(part.when, part.model, part.state, part.requests, part.list_cost) for part in found.left_out}
    whole = found.total

    assert left_out == {
        ("then", "gpt-77", "unpriced", 1, Decimal("0.0028")),
        ("now", "gpt-99", "unpriced", 2, None),
        ("now", "gpt-4o-2024-08-06", "no_usage", 1, None),
        ("now", "gpt-4o-2024-08-06", "impossible", 1, None),
    }
    assert "does not know this model" in {part.model: part.why for part in found.left_out}["gpt-77"]
    assert (whole.requests, whole.compared_requests, whole.list_cost, whole.left_out_list_cost) == (
        *(6, 1, Decimal("0.0035"), Decimal("0.0028")),
    )
    assert {row.value: row.list_cost_then for row in found.rows}["ads"] is None


def test_a_discount_is_taken_off_the_list_cost(world: World) -> None:
    """Of every request by itself."""
    world.store(make_record(), make_record())
    found = _ask(world, factor=Decimal("0.85"))

    assert (found.total.list_cost, found.total.list_cost_then) == (Decimal("0.0070"), Decimal("0.005950"))
    assert found.total.share == Decimal("-0.15")


def test_own_prices_of_a_file_take_the_place_of_those_that_hold(world: World) -> None:
    """Names and prices in it count; what is not in it is as in the lists."""
    world.drain.use(book_with(own_price("gpt-4o*", input="100", output="100")))
    world.store(make_record(), make_record(response_model="my-deployment"))
    own = OwnPrices(prices=(own_price("gpt-5", input="1", output="1"),), names=(own_name("my-deployment", "gpt-5"),))
    found = _ask(world, own=own)

    assert {row.value: (row.list_cost, row.list_cost_then) for row in found.rows} == {
        "gpt-4o-2024-08-06": (Decimal("0.11"), Decimal("0.0035")),
        "my-deployment": (None, None),
    }


def test_a_model_that_no_request_went_to_is_told(world: World) -> None:
    """It may be a slip of the pen."""
    world.store(make_record())

    assert _ask(world, models=(("gtp-4o", "gpt-5"), ("gpt-4o", "gpt-5"))).unmet == ("gtp-4o",)


def test_only_the_slice_is_costed(world: World) -> None:
    """Nothing of other days; a slice without requests is empty, not zero."""
    world.store(make_record(), make_record(started_at=NOW - _DAY))
    today, other = Slice(start=NOW, end=NOW + _DAY), Slice(start=NOW + _DAY, end=NOW + 2 * _DAY)

    assert _ask(world, span=today, tier="batch").total.list_cost_then == Decimal("0.00175")
    assert _ask(world, span=other).total.list_cost is None


def test_requests_that_were_let_go_are_told_to_lack(world: World) -> None:
    """From when on there are requests."""
    world.store(make_record(started_at=NOW - 100 * _DAY), make_record())
    forget(world.ledger, requests=40 * _DAY, rollup=None, pieces=400 * _DAY)
    found = _ask(world)

    assert found.kept_from == (NOW - 99 * _DAY).replace(hour=0)
    assert found.total.requests == 1


def test_nothing_is_written(world: World) -> None:
    """Neither prices nor anything else."""
    world.store(make_record())
    tables = ("requests", "prices", "price_matches", "usage_hourly", "changed_hours", "discount_factors")
    before = [world.rows(f"from {table}") for table in tables]
    _ask(world, models=(("*", "gpt-5"),), tier="flex", factor=Decimal("0.5"))

    assert [world.rows(f"from {table}") for table in tables] == before


@pytest.mark.parametrize(
    "scenario",
    [
        {"tier": "cheap"},
        {"cache_rate": Decimal("1.01")},
        {"cache_rate": Decimal("-0.1")},
        {"cache_rate": Decimal("0.1234567")},
        {"factor": Decimal(-1)},
        {"models": (("gpt-4o", ""),)},
    ],
)
def test_a_scenario_that_cannot_be_is_refused(shared: World, scenario: dict[str, Any]) -> None:
    """With a sentence that says what."""
    with pytest.raises(PricingError):
        _ask(shared, **scenario)


def test_a_split_that_is_no_dimension_is_refused(shared: World) -> None:
    """The text lists those there are."""
    with pytest.raises(LedgerError, match="The dimensions are"):
        _ask(shared, "colour")
