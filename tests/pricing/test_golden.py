"""Worked examples, to the digit: the token cases of genai-prices' own and the prices that its vendors publish."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from monitor.records import Record, Usage
from tests.factories import make_record, make_usage
from tests.world import World

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
    "free": ("omni-moderation-latest", "0", {}),
}
_STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "unpriced": ("unpriced", {"response_model": "gpt-99"}),
    "no model": ("unpriced", {"response_model": None}),
    "unknown tier": ("unpriced", {"response_model": "gpt-6-astra", "service_tier": "ultrafast"}),
    "tokens where minutes have a price": ("unpriced", {"response_model": "whisper-1"}),
    "minutes where tokens have a price": (
        "unpriced",
        {"response_model": "gpt-4o-transcribe", "usage": Usage(audio_seconds=60.0)},
    ),
    "characters without a price": ("unpriced", {"response_model": "tts-1", "usage": Usage(input_characters=6)}),
    "characters where tokens have a price": (
        "unpriced",
        {"response_model": "gpt-4o-mini-tts", "usage": Usage(input_characters=6)},
    ),
    "pictures without a price": ("unpriced", {"response_model": "dall-e-3", "usage": Usage(image_count=2)}),
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
