"""LiteLLM's table as a second source of prices."""

import json
from decimal import Decimal
from typing import Any

import pytest

from monitor.errors import PricingError
from monitor.pricing.litellm_table import LitellmModel, read_litellm


def _read(name: str, provider: str = "openai", **row: Any) -> dict[tuple[str, str], LitellmModel]:
    return read_litellm(
        json.dumps({"sample_spec": {"litellm_provider": "x"}, name: {"litellm_provider": provider} | row})
    )


def _prices(name: str, provider: str = "openai", **row: Any) -> dict[tuple[str, int, str], Decimal]:
    ((_, one),) = _read(name, provider, **row).items()
    return {place: price.normalize() for place, price in one.prices.items()}


def test_numbers_are_read_digit_by_digit() -> None:
    """1.1e-06 is no binary fraction: as a float it would be a little off."""
    assert _prices("m", input_cost_per_token=1.1e-06) == {("default", -1, "input"): Decimal("0.0000011")}


def test_suffixes_say_tier_and_size() -> None:
    """In either order; one that is not known is told as not read, never taken for the plain price."""
    found = _read(
        "m",
        input_cost_per_token_above_272k_tokens_priority=3e-06,
        output_cost_per_token_batches=1e-06,
        cache_creation_input_token_cost_above_1hr=5e-06,
        input_cost_per_token_decisions=9e-06,
        input_cost_per_token_cache_hit=1e-06,
        max_tokens=4096,
    )["openai", "m"]

    assert {place: price.normalize() for place, price in found.prices.items()} == {
        ("priority", 272_000, "input"): Decimal("0.000003"),
        ("batch", -1, "output"): Decimal("0.000001"),
        ("default", -1, "cache_creation_long"): Decimal("0.000005"),
    }
    assert found.unread == ("input_cost_per_token_decisions", "input_cost_per_token_cache_hit")


def test_transcription_states_one_price_twice() -> None:
    """A second is paid once; what a second of another mode is nobody says."""
    seconds: dict[str, Any] = {"input_cost_per_second": 1e-4, "output_cost_per_second": 1e-4}

    assert _prices("whisper-1", mode="audio_transcription", **seconds) == {
        ("default", -1, "audio_second"): Decimal("0.0001")
    }
    assert _read("m", mode="audio_speech", **seconds) == {}


def test_rows_of_picture_sizes_are_part_of_their_model() -> None:
    """The price of a picture is called that of the input there."""
    assert _prices("hd/1024-x-1792/dall-e-3", mode="image_generation", input_cost_per_image=0.12) == {
        ("default", -1, "image:hd/1024x1792"): Decimal("0.12")
    }


@pytest.mark.parametrize(
    ("name", "provider", "key"),
    [
        ("gpt-4o", "openai", ("openai", "gpt-4o")),
        ("azure/gpt-4o", "azure", ("azure", "gpt-4o")),
        ("gemini/gemini-2.5-pro", "gemini", ("google", "gemini-2.5-pro")),
        ("gemini-2.5-pro", "vertex_ai-language-models", ("google", "gemini-2.5-pro")),
        ("openrouter/openai/gpt-4o", "openrouter", ("openrouter", "openai/gpt-4o")),
        ("xai/grok-4", "xai", ("x-ai", "grok-4")),
    ],
)
def test_names_are_those_of_our_lists(name: str, provider: str, key: tuple[str, str]) -> None:
    """Prefixes of the provider are no part of the model's name."""
    assert list(_read(name, provider, input_cost_per_token=1e-06)) == [key]


def test_fees_are_told_for_one() -> None:
    """Searches only where their price does not depend on how much they read."""
    same = dict.fromkeys(("search_context_size_low", "search_context_size_high"), 0.01)

    assert _prices("m", search_context_cost_per_query=same, file_search_cost_per_1k_calls=2.5) == {
        ("default", -1, "tool:web_search"): Decimal("0.01"),
        ("default", -1, "tool:file_search"): Decimal("0.0025"),
    }
    assert _read("m", search_context_cost_per_query={**same, "search_context_size_low": 0.02}) == {}


def test_a_model_that_is_free_in_all_is_known_as_such() -> None:
    """There that often means that nobody has looked."""
    assert _read("m", input_cost_per_token=0, output_cost_per_token=0.0)["openai", "m"].is_free


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 1}', '{"a": {"input_cost_per_token": 1}}'])
def test_what_is_no_such_table_is_refused(text: str) -> None:
    """In words."""
    with pytest.raises(PricingError, match="LiteLLM"):
        read_litellm(text)
