"""The cost that a program is told is the one that the ledger stores, to the last digit."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.pricing.figures import CLASSES
from monitor.pricing.installed import Pricer
from monitor.pricing.own import require_price
from monitor.records import OUTCOMES, USAGE_SOURCES, Record, Usage
from tests.factories import make_record, make_usage
from tests.pricing.own_rows import book_with, own_factors, own_price
from tests.pricing.parity import TIERS, moments_of, priced_models, random_usage, sizes_of
from tests.world import World, price_book

_MODELS = priced_models()
_PLACES = {model.id: (moments_of(model), sizes_of(model)) for _, model in _MODELS}
_OWN_MODELS = (
    *("dall-e-2", "dall-e-3", "sora-2", "sora-2-pro", "tts-1", "whisper-1", "container", "gpt-4.5"),
    *("ft:gpt-4.1-2025-04-14:a::1", "ft:o4-mini:a::1", "ft:gpt-4o-2024-08-06:a::1", "davinci-002", "gpt-realtime"),
)
_OWN_MOMENTS = [datetime(year, month, 1, tzinfo=UTC) for year in (2024, 2025, 2026) for month in (1, 5, 11)]
_SOURCES = [source for source in USAGE_SOURCES if source not in ("late", "repeated")]
_OPERATIONS = ("chat", "embeddings", "image_generation", "image_edit", "transcription", "decision", "create_container")
_STATUSES = (None, "completed", "failed", "queued", "in_progress", "cancelled")
_OTHER_TOTALS: tuple[dict[str, Any], ...] = (
    {"video_seconds": 4.0},
    {"video_seconds": 7.7777},
    {"trained_tokens": 7},
    {"trained_tokens": 0},
    {"input_characters": 6},
    {"input_characters": -6},
    {"image_count": 2},
    {"image_count": 0},
    {"input_tokens": -5},
    {"output_tokens": -5},
    {"reasoning_output_tokens": -5},
)
_TOOLS = ("web_search", "web_search_preview", "file_search", "mcp", "code_interpreter", "time_travel")
_TOOL_MODELS = (None, "gpt-image-1.5", "gpt-image-2", "gpt-5", "gpt-99")
_SIZES = (None, "1024x1024", "1024x1792", "720x1280", "1x1")
_QUALITIES = (None, "standard", "hd", "auto")
_ENDPOINTS = ("/chat/completions", "/responses", "/responses/{id}", "/batches", "/videos")


@pytest.fixture(scope="module")
def price() -> Pricer:
    return Pricer(price_book())


_SPRING = datetime(2026, 5, 1, tzinfo=UTC)
# Ids of tuned models, such as ft:gpt-4o, are names of nothing in the lists; an own price would make them that.
_NOT_TUNED = "[!f]*"
_OWN_FACTORS = (
    own_factors({"window:2h": "0.123456", "window:8h": "0.9"}, model=_NOT_TUNED, end=_SPRING),
    own_factors(
        {"window:2h": "1.25", "window:3d": "0.000001", "regional": "1.000001"}, model=_NOT_TUNED, start=_SPRING
    ),
    own_factors({"window:8h": "0.333333"}, model="gpt-5*"),
    own_factors({"window:8h": "4.999999", "window:2h": "0.5"}, model=_NOT_TUNED, provider="azure"),
)


@pytest.fixture(scope="module")
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("own"), book=book_with(*_OWN_FACTORS)) as world:
        yield world


@pytest.fixture(scope="module")
def own_pricer() -> Pricer:
    return Pricer(book_with(*_OWN_FACTORS))


def _random_record(chance: random.Random) -> Record:
    """Any request of any model; most of them used something."""
    provider, model = chance.choice(_MODELS)
    name, (moments, sizes) = model.id, _PLACES[model.id]
    if chance.random() < 0.3:
        provider, name, moments = "openai", chance.choice(_OWN_MODELS), _OWN_MOMENTS
    usage = random_usage(chance, sizes) if chance.random() < 0.7 else Usage()
    more = chance.choice(_OTHER_TOTALS) if chance.random() < 0.3 else {}
    return make_record(
        usage=msgspec.structs.replace(usage, **more),
        provider_name=provider,
        request_model=chance.choice([None, name, "gpt-99"]),
        response_model=chance.choice([None, name, name, name]),
        service_tier=chance.choice([*TIERS, "scale", "ultrafast"]),
        is_batch=chance.random() < 0.2,
        started_at=chance.choice(moments),
        usage_source=chance.choice(["response"] * 6 + _SOURCES),
        outcome=chance.choice(["completed"] * 3 + list(OUTCOMES)),
        error_class=chance.choice([None, None, "server", "parse"]),
        operation_name=chance.choice(_OPERATIONS),
        is_billable=chance.random() < 0.8,
        answer_status=chance.choice(_STATUSES),
        status=chance.choice([None, 200, 200, 307, 429]),
        endpoint=chance.choice(_ENDPOINTS),
        response_id=None,
        media_size=chance.choice(_SIZES),
        media_quality=chance.choice(_QUALITIES),
        region=chance.choice([None, "eu"]),
        completion_window=chance.choice([None, None, None, "2h", "8h", "3d"]),
        **(_random_tools(chance) if chance.random() < 0.3 else {}),
    )


def _random_tools(chance: random.Random) -> dict[str, Any]:
    used = msgspec.structs.asdict(random_usage(chance, [1, 1_000, 272_001]))
    tokens = {name: count for name, count in used.items() if count is not None and name != "audio_seconds"}
    return {
        "tool_calls": {name: chance.randrange(-1, 9) for name in chance.sample(_TOOLS, chance.randrange(3))} or None,
        "tool_model": chance.choice(_TOOL_MODELS),
        "tool_usage": tokens if chance.random() < 0.5 else None,
        **(_random_containers(chance) if chance.random() < 0.5 else {}),
    }


def _random_containers(chance: random.Random) -> dict[str, Any]:
    """Some that were met before, and some that were not."""
    names = [f"cntr_{chance.randrange(100)}", f"cntr_{chance.randrange(10_000)}"]
    return {"containers": names[: chance.randrange(1, 3)], "container_memory": chance.choice([None, "1g", "4g", "3g"])}


def _faults(world: World, price: Pricer, records: Sequence[Record]) -> list[str]:
    """Where the two differ, after one drain of all records."""
    world.store(*records)
    costs = ", ".join(f"list_{name}_cost" for name in CLASSES)
    asked = f"""
        select record_id, pricing_state, list_cost, sku_price_id, {costs} from requests
        where list_contains(?, record_id)
    """
    stored = {row[0].hex: row[1:] for row in world.rows(asked, [UUID(record.record_id) for record in records])}
    faults = []
    # In the order of time, as the sessions of containers are told.
    for record in sorted(records, key=lambda record: (record.started_at, record.record_id)):
        state, cost, sku, *parts = stored[record.record_id]
        found = price(record)
        is_same = (found.state, found.list_cost) == (state, cost)
        if state == "priced":
            is_same = is_same and found.sku_price_id == sku and [*found.classes.values()] == parts
        if not is_same:
            faults.append(f"{record}: {found}, but the ledger says {state} {cost} {parts}")
    return faults


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**64))
def test_any_record_costs_what_the_ledger_says(world: World, price: Pricer, seed: int) -> None:
    """Whatever the model, tier, day, usage and outcome: the same state, the same digits, the same price entry."""
    chance = random.Random(seed)

    assert _faults(world, price, [_random_record(chance) for _ in range(800)]) == []


@given(seed=st.integers(min_value=0, max_value=2**64))
@settings(max_examples=2, deadline=None, phases=(Phase.generate,))
def test_own_factors_are_taken_alike(own_world: World, own_pricer: Pricer, seed: int) -> None:
    """Those that hold for some time only, of a provider whose windows cost nothing else, and with all their digits."""
    chance = random.Random(seed)

    assert _faults(own_world, own_pricer, [_random_record(chance) for _ in range(400)]) == []


def test_the_largest_factors_of_the_largest_price_are_taken_alike(tmp_path: Path) -> None:
    """What can be said can be stored: nothing that somebody says of prices may stop the drain."""
    rows = own_price("m", input=f"{10**11}"), own_factors({"regional": "5", "window:9h": "5"})
    record = make_record(
        usage=Usage(input_tokens=10**6), response_model="m", region="eu", completion_window="9h", service_tier=None
    )
    book = book_with(*map(require_price, rows))
    with World(tmp_path, book=book) as world:
        assert _faults(world, Pricer(book), [record]) == []
        assert world.one(record)["list_cost"] == 25 * 10**11


@pytest.mark.parametrize("source", ["repeated", "estimated", "imported", "none"])
def test_every_source_of_usage_is_taken_alike(world: World, price: Pricer, source: str) -> None:
    """What counts there counts here."""
    assert _faults(world, price, [make_record(usage_source=source)]) == []


@pytest.mark.parametrize("model", ["gpt-4o", "whisper-1", "tts-1", "dall-e-3", "sora-2", "omni-moderation-latest"])
def test_every_total_is_taken_alike(world: World, price: Pricer, model: str) -> None:
    """What is known of the usage counts there and here, whether the model has a price for it, none, or is free."""
    totals = (*_OTHER_TOTALS, {"input_tokens": 3}, {"output_tokens": 3}, {"audio_seconds": 3.0})

    assert _faults(world, price, [make_record(usage=Usage(**total), response_model=model) for total in totals]) == []


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-99", None])
@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "cache_read_input_tokens", "audio_seconds"])
def test_a_negative_quantity_is_impossible(world: World, price: Pricer, name: str, model: str | None) -> None:
    """Whether or not there is a price for the model, and though no price holds for prompts of a negative size."""
    record = make_record(usage=make_usage(**{name: -5}), request_model=model, response_model=None)

    assert _faults(world, price, [record]) == []
    assert price(record).state == "impossible"


@given(seconds=st.floats(min_value=0, max_value=1e7))
@settings(max_examples=2, deadline=None)
def test_seconds_are_rounded_alike(world: World, price: Pricer, seconds: float) -> None:
    """A duration is a binary fraction; both make the same milliseconds of it."""
    others = [seconds / 7, seconds / 1000, round(seconds, 3) + 0.0005, round(seconds) + 0.0015]
    usages = [Usage(audio_seconds=value) for value in (seconds, *others)]

    records = [make_record(usage=usage, response_model="whisper-1") for usage in usages]

    assert _faults(world, price, records) == []
