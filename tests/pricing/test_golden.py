"""Worked examples, to the digit: the token cases of genai-prices' own and the prices that its vendors publish."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.ledger.columns import COST_COLUMNS
from monitor.records import Record, Usage
from tests.factories import make_record, make_usage
from tests.pricing.price_table import TABLES, goldens
from tests.world import World

_PARTS = [name for name in COST_COLUMNS if name != "list_cost"]
_MILLION = 1_000_000
_CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "text": ("gpt-4o", "0.0035", {}),
    "cached": ("gpt-4o", "0.016", {"input_tokens": 10_000, "cache_read_input_tokens": 8_000}),
    "cache write": (
        "gpt-6.1-sol",
        "0.0212",
        {"input_tokens": 10_000, "cache_read_input_tokens": 2_000, "cache_creation_input_tokens": 8_000},
    ),
    "reasoning": ("o3", "0.008", {"input_tokens": 0, "output_tokens": 1_000, "reasoning_output_tokens": 900}),
    "short context": ("gpt-5.5", "1.39", {"input_tokens": 272_000, "output_tokens": 1_000}),
    "long context": ("gpt-5.5", "2.76501", {"input_tokens": 272_001, "output_tokens": 1_000}),
    "audio": (
        "gpt-audio",
        "0.0468",
        {"input_audio_tokens": 600, "output_tokens": 500, "output_audio_tokens": 400},
    ),
    "image": (
        "gpt-image-1.5",
        "0.13337",
        {"input_tokens": 50, "output_tokens": 4160, "output_image_tokens": 4160, "operation_name": "image_generation"},
    ),
    "image without a split": (
        "gpt-image-1.5",
        "0.13337",
        {"input_tokens": 50, "output_tokens": 4160, "operation_name": "image_generation"},
    ),
    "seconds": ("whisper-1", "0.006", {"input_tokens": None, "output_tokens": None, "audio_seconds": 60.0}),
    "embedding": ("text-embedding-3-small", "0.00000016", {"input_tokens": 8, "output_tokens": None}),
    "flex": ("o3", "5", {"input_tokens": _MILLION, "output_tokens": _MILLION, "service_tier": "flex"}),
    "priority": ("o3", "17.5", {"input_tokens": _MILLION, "output_tokens": _MILLION, "service_tier": "priority"}),
    "batch": ("o3", "5", {"input_tokens": _MILLION, "output_tokens": _MILLION, "is_batch": True}),
    "before a cut": (
        "o3",
        "50",
        {"input_tokens": _MILLION, "output_tokens": _MILLION, "started_at": datetime(2025, 6, 9, tzinfo=UTC)},
    ),
    "answer body": (
        "gpt-4o-2024-08-06",
        "0.00472",
        {"input_tokens": 1_200, "output_tokens": 300, "cache_read_input_tokens": 1_024},
    ),
    "realtime": (
        "gpt-realtime",
        "0.0069656",
        {
            "input_tokens": 132,
            "input_audio_tokens": 13,
            "cache_read_input_tokens": 64,
            "output_tokens": 121,
            "output_audio_tokens": 91,
        },
    ),
    "cached sound": (
        "gpt-realtime",
        # 60 of text, 40 of it cached; 40 of sound, 24 of it cached; one is said.
        "0.0006336",
        {
            "input_tokens": 100,
            "input_audio_tokens": 40,
            "cache_read_input_tokens": 64,
            "cache_read_audio_tokens": 24,
            "output_tokens": 1,
        },
    ),
    "written for long": (
        "gpt-6.1-sol",
        # 3,000 for 30 minutes, 5,000 for 12 hours.
        "0.0289",
        {
            "input_tokens": 10_000,
            "cache_read_input_tokens": 2_000,
            "cache_creation_input_tokens": 8_000,
            "cache_creation_long_tokens": 5_000,
            "output_tokens": 120,
        },
    ),
    "speech that states tokens too": (
        "gpt-4o-mini-tts",
        "0.0018",
        {"input_tokens": 1_000, "output_tokens": 100, "input_characters": 4_000},
    ),
    "transcription that states seconds too": (
        "gpt-4o-transcribe",
        "0.0035",
        {"input_tokens": 1_000, "output_tokens": 100, "audio_seconds": 60.0},
    ),
    "transcription by the second that states tokens too": (
        "whisper-1",
        "0.006",
        {"input_tokens": 1_000, "output_tokens": 100, "audio_seconds": 60.0},
    ),
    "searches": (
        "gpt-5",
        "0.03725",
        {"tool_calls": {"web_search": 3, "file_search": 2, "mcp": 4}},
    ),
    "drawing": (
        "gpt-5",
        "0.13567",
        {
            "tool_calls": {"image_generation": 1},
            "tool_model": "gpt-image-1.5",
            "tool_usage": {"input_tokens": 60, "output_tokens": 4_160, "output_image_tokens": 4_160},
        },
    ),
    "pictures that tokens pay for": (
        "gpt-image-1.5",
        "0.13337",
        {
            "input_tokens": 50,
            "output_tokens": 4160,
            "image_count": 1,
            "media_size": "1024x1024",
            "operation_name": "image_generation",
        },
    ),
    "a decision": ("gpt-6-luna", "0.0001", {"operation_name": "decision"}),
    "ultrafast": ("gpt-6.1-sol", "0.018", {"service_tier": "ultrafast"}),
    "free": ("omni-moderation-latest", "0", {}),
}
_STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "unpriced": ("unpriced", {"response_model": "gpt-99"}),
    "no model": ("unpriced", {"response_model": None}),
    "unknown tier": ("unpriced", {"response_model": "gpt-6-sol", "service_tier": "ultrafast"}),
    "tokens where minutes have a price": ("unpriced", {"response_model": "whisper-1"}),
    "minutes where tokens have a price": (
        "unpriced",
        {"response_model": "gpt-4o-transcribe", "usage": Usage(audio_seconds=60.0)},
    ),
    "characters without a price": ("unpriced", {"response_model": "gpt-4o", "usage": Usage(input_characters=6)}),
    "characters where tokens have a price": (
        "unpriced",
        {"response_model": "gpt-4o-mini-tts", "usage": Usage(input_characters=6)},
    ),
    "pictures of unknown size": ("unpriced", {"response_model": "dall-e-3", "usage": Usage(image_count=2)}),
    "pictures without a price": (
        "unpriced",
        {"response_model": "gpt-image-2.6-x", "usage": Usage(image_count=2), "media_size": "1024x1024"},
    ),
    "video of unknown size": (
        "unpriced",
        {"response_model": "sora-2-pro", "usage": Usage(video_seconds=8.0), "media_size": "640x480"},
    ),
    "training of a model that is not trained": (
        "unpriced",
        {"response_model": "gpt-5", "usage": Usage(trained_tokens=7)},
    ),
    "training by the hour": ("unpriced", {"response_model": "o4-mini", "usage": Usage(trained_tokens=7)}),
    "an unknown tool": ("unpriced", {"tool_calls": {"time_travel": 1}}),
    "calls alone": ("unpriced", {"tool_calls": {"web_search": 1}, "usage": Usage()}),
    "an unknown model of a tool": (
        "unpriced",
        {"tool_model": "gpt-image-2.6-x", "tool_usage": {"input_tokens": 5}},
    ),
    "a tool whose model is not named": ("unpriced", {"tool_usage": {"input_tokens": 5}}),
    "a tool that used the impossible": (
        "impossible",
        {"tool_model": "gpt-image-1.5", "tool_usage": {"output_tokens": 5, "output_image_tokens": 6}},
    ),
    "more cached sound than sound": (
        "impossible",
        {
            "response_model": "gpt-realtime",
            "usage": make_usage(input_audio_tokens=1, cache_read_input_tokens=9, cache_read_audio_tokens=2),
        },
    ),
    "cached sound of nothing cached": (
        "impossible",
        {"usage": make_usage(input_audio_tokens=9, cache_read_audio_tokens=2)},
    ),
    "kept longer than written": (
        "impossible",
        {
            "response_model": "gpt-6.1-sol",
            "usage": make_usage(cache_creation_input_tokens=1, cache_creation_long_tokens=2),
        },
    ),
    "pictures of a model whose tokens are free": (
        "unpriced",
        {"response_model": "omni-moderation-latest", "usage": Usage(image_count=1)},
    ),
    "more cached than there was": ("impossible", {"usage": make_usage(cache_read_input_tokens=1_001)}),
    "parts that exceed their whole": (
        "impossible",
        {"response_model": "gpt-audio", "usage": make_usage(output_audio_tokens=101)},
    ),
    "below nothing": ("impossible", {"usage": make_usage(cache_read_input_tokens=-1)}),
    "a part without its whole": (
        "impossible",
        {"usage": make_usage(input_tokens=None, cache_read_input_tokens=1)},
    ),
    "nothing said": ("no_usage", {"usage": Usage(), "usage_source": "none"}),
    "sent elsewhere": ("free", {"usage": Usage(), "usage_source": "none", "status": 307}),
    "nothing said, nothing to pay": ("free", {"usage": Usage(), "usage_source": "none", "is_billable": False}),
    "nothing said of a failure": ("free", {"usage": Usage(), "usage_source": "none", "outcome": "failed"}),
    "said before": ("repeated", {"usage_source": "repeated"}),
}


def _worked(model: str, facts: dict[str, Any]) -> Record:
    names = Usage.__struct_fields__
    usage = make_usage(**{key: value for key, value in facts.items() if key in names})
    others = {key: value for key, value in facts.items() if key not in names}
    return make_record(usage=usage, request_model=None, response_model=model, **others)


_RECORDS = {
    **{name: _worked(model, facts) for name, (model, _, facts) in _CASES.items()},
    **{name: make_record(**({"request_model": None} | changes)) for name, (_, changes) in _STATES.items()},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which all examples are stored."""
    with World(tmp_path_factory.mktemp("golden")) as world:
        world.store(*_RECORDS.values())
        yield world


@pytest.mark.parametrize("name", _CASES)
def test_a_worked_example(world: World, name: str) -> None:
    """The cost is exactly what was worked out by hand."""
    assert world.one(_RECORDS[name])["list_cost"] == Decimal(_CASES[name][1])


@pytest.mark.parametrize("name", _STATES)
def test_a_cost_that_is_not_known_has_a_state(world: World, name: str) -> None:
    """Such a request costs null, never zero, and says why."""
    row = world.one(_RECORDS[name])

    assert (row["pricing_state"], row["list_cost"]) == (_STATES[name][0], None)


def test_published_prices_are_stored(tmp_path: Path) -> None:
    """The ledger charges what is published, and its classes come to the whole."""
    cases = {golden.record.record_id: golden for table in TABLES for golden in goldens(table)[::5]}
    with World(tmp_path) as world:
        world.store(*(golden.record for golden in cases.values()))
        rows = world.rows(f"select record_id, list_cost, {' + '.join(_PARTS)} from requests")

    assert len(rows) == len(cases)
    assert [
        (cases[key.hex].name, cost)
        for key, cost, parts in rows
        if cost is None or cost != parts or round(cost, 15) != cases[key.hex].usd
    ] == []


def test_the_answering_model_decides(world: World) -> None:
    """What was asked for counts only where the answer names no model."""
    answered = make_record(request_model="gpt-4o", response_model="gpt-4o-mini")
    silent = make_record(request_model="gpt-4o", response_model=None)

    assert (world.cost(answered), world.cost(silent)) == (Decimal("0.00021"), Decimal("0.0035"))


def test_the_asked_tier_does_not_decide(world: World) -> None:
    """Who asks for priority and gets default pays default."""
    record = make_record(response_model="o3", request_service_tier="priority", service_tier="default")

    assert world.cost(record) == Decimal("0.0028")


def test_the_price_entry_is_named(world: World) -> None:
    """A row leads to the entry that made its cost."""
    record = make_record()
    world.store(record)

    assert world.rows(
        "select input, is_current from prices where sku_price_id = ?", world.one(record)["sku_price_id"]
    ) == [(Decimal("0.0000025"), True)]
