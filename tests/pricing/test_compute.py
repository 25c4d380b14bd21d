"""The cost that a program is told is the one that the ledger stores, to the last digit."""

import random
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.pricing.installed import Pricer
from monitor.records import OUTCOMES, USAGE_SOURCES, Record, Usage
from tests.factories import make_record
from tests.pricing.parity import TIERS, moments_of, priced_models, random_usage, sizes_of
from tests.world import World, price_book

_MODELS = priced_models()
_PLACES = {model.id: (moments_of(model), sizes_of(model)) for _, model in _MODELS}
_SOURCES = [source for source in USAGE_SOURCES if source not in ("late", "repeated")]
_OPERATIONS = ("chat", "embeddings", "image_generation", "image_edit", "transcription")
_STATUSES = (None, "completed", "failed", "queued", "in_progress", "cancelled")
_UNPRICED_TOTALS: tuple[dict[str, Any], ...] = (
    {"video_seconds": 4.0},
    {"trained_tokens": 7},
    {"input_characters": 6},
    {"image_count": 2},
)
_ENDPOINTS = ("/chat/completions", "/responses", "/responses/{id}", "/batches", "/videos")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("compute")) as world:
        yield world


@pytest.fixture(scope="module")
def price() -> Pricer:
    return Pricer(price_book())


def _random_record(chance: random.Random) -> Record:
    """Any request of any model; most of them used something."""
    provider, model = chance.choice(_MODELS)
    moments, sizes = _PLACES[model.id]
    usage = random_usage(chance, sizes) if chance.random() < 0.9 else Usage()
    more = chance.choice(_UNPRICED_TOTALS) if chance.random() < 0.2 else {}
    return make_record(
        usage=msgspec.structs.replace(usage, **more),
        provider_name=provider,
        request_model=chance.choice([None, model.id, "gpt-99"]),
        response_model=chance.choice([None, model.id, model.id, model.id]),
        service_tier=chance.choice([*TIERS, "scale", "ultrafast"]),
        is_batch=chance.random() < 0.2,
        started_at=chance.choice(moments),
        usage_source=chance.choice(["response"] * 6 + _SOURCES),
        outcome=chance.choice(["completed"] * 3 + list(OUTCOMES)),
        operation_name=chance.choice(_OPERATIONS),
        is_billable=chance.random() < 0.8,
        answer_status=chance.choice(_STATUSES),
        endpoint=chance.choice(_ENDPOINTS),
        response_id=None,
    )


def _faults(world: World, price: Pricer, records: Sequence[Record]) -> list[str]:
    """Where the two differ, after one drain of all records."""
    world.store(*records)
    asked = "select record_id, pricing_state, list_cost, sku_price_id from requests where list_contains(?, record_id)"
    stored = {row[0].hex: row[1:] for row in world.rows(asked, [UUID(record.record_id) for record in records])}
    faults = []
    for record in records:
        state, cost, sku = stored[record.record_id]
        found = price(record)
        if (found.state, found.list_cost, found.sku_price_id) != (state, cost, sku if state == "priced" else None):
            faults.append(f"{record}: {found}, but the ledger says {state} {cost}")
    return faults


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**64))
def test_any_record_costs_what_the_ledger_says(world: World, price: Pricer, seed: int) -> None:
    """Whatever the model, tier, day, usage and outcome: the same state, the same digits, the same price entry."""
    chance = random.Random(seed)

    assert _faults(world, price, [_random_record(chance) for _ in range(800)]) == []


@pytest.mark.parametrize("source", ["repeated", "estimated", "imported", "none"])
def test_every_source_of_usage_is_taken_alike(world: World, price: Pricer, source: str) -> None:
    """What counts there counts here."""
    assert _faults(world, price, [make_record(usage_source=source)]) == []


@pytest.mark.parametrize("model", ["gpt-4o", "whisper-1", "tts-1", "dall-e-3", "omni-moderation-latest"])
def test_every_total_is_taken_alike(world: World, price: Pricer, model: str) -> None:
    """What is known of the usage counts there and here, whether the model has a price for it, none, or is free."""
    totals = (*_UNPRICED_TOTALS, {"input_tokens": 3}, {"output_tokens": 3}, {"audio_seconds": 3.0})

    assert _faults(world, price, [make_record(usage=Usage(**total), response_model=model) for total in totals]) == []


@given(seconds=st.floats(min_value=0, max_value=1e7))
@settings(max_examples=2, deadline=None)
def test_seconds_are_rounded_alike(world: World, price: Pricer, seconds: float) -> None:
    """A duration is a binary fraction; both make the same milliseconds of it."""
    others = [seconds / 7, seconds / 1000, round(seconds, 3) + 0.0005, round(seconds) + 0.0015]
    usages = [Usage(audio_seconds=value) for value in (seconds, *others)]

    records = [make_record(usage=usage, response_model="whisper-1") for usage in usages]

    assert _faults(world, price, records) == []
