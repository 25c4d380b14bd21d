"""Which model of the price list a recorded name means."""

import pytest

from tests.pricing.books import make_book, make_model, make_prices
from tests.world import price_book


@pytest.mark.parametrize(
    ("provider", "model", "price_key"),
    [
        ("openai", "gpt-4o", "openai/gpt-4o"),
        ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("openai", "GPT-4o", "openai/gpt-4o"),
        ("openai", "gpt-4.1-2025-04-14", "openai/gpt-4.1"),
        ("openai", "gpt-4.1-20250414", "openai/gpt-4.1"),
        ("openai", "gpt-5.1-codex", "openai/gpt-5.1"),
        ("openai", "gpt-5.6", "openai/gpt-5.6-sol"),
        ("azure", "gpt-4o", "azure/gpt-4o"),
        ("azure.ai.openai", "gpt-4o", "azure/gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", "aws/"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("x_ai", "grok-4", "x-ai/grok-4"),
    ],
)
def test_a_name_leads_to_its_price(provider: str, model: str, price_key: str) -> None:
    """Dated names, aliases and OpenTelemetry's names of providers included."""
    found = price_book().match(provider, model)

    assert (found.price_key or "").startswith(price_key)
    assert found.entries != ()


@pytest.mark.parametrize(
    ("provider", "model", "why"),
    [
        ("openai", "gpt-99", "does not know this model"),
        ("openai", "", "does not know this model"),
        ("openai", "dall-e-3", "does not know this model"),
        ("vllm", "gpt-4o", "no price list for the provider vllm"),
        ("openai", "gpt-oss-120b", "open-weight"),
        ("openai", "tts-1", "units that are not recorded"),
    ],
)
def test_a_model_without_a_price_says_why(provider: str, model: str, why: str) -> None:
    """Unpriced is a state with a reason, never zero."""
    found = price_book().match(provider, model)

    assert (found.price_key, found.entries) == (None, ())
    assert why in found.why


def test_the_version_of_the_list_is_named() -> None:
    """A match can be traced to the list that gave it."""
    book = make_book(make_model("m", make_prices(input_mtok="1")), version="list 7")

    assert book.match("openai", "m").why == "matched openai/m of list 7"
