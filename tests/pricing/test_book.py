"""Which model of the price list a recorded name means."""

import pytest
from genai_prices.data_snapshot import get_snapshot

from monitor.pricing.book import PriceBook
from monitor.pricing.installed import installed_supplement
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
        ("openai", "tts-1", "openai/tts-1"),
        ("openai", "gpt-4.5", "openai/gpt-4.5-preview"),
        ("openai", "gpt-5-search-api-2025-10-14", "openai/gpt-5-search-api"),
        ("openai", "DALL-E-3", "openai/dall-e-3"),
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme:shop:abc", "openai/ft:gpt-4.1-mini"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", "openai/ft:gpt-4o-mini"),
        ("openai", "container", "openai/container"),
        ("openai", "vector_store", "openai/vector_store"),
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
        ("openai", "gpt-image-2.6-x", "does not know this model"),
        ("openai", "ft:gpt-5:acme::1", "does not know this model"),
        ("azure", "dall-e-3", "does not know this model"),
        ("vllm", "gpt-4o", "no price list for the provider vllm"),
        ("openai", "gpt-oss-120b", "open-weight"),
        ("mistral", "mistral-ocr-2503", "units that price entries do not have"),
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


@pytest.mark.parametrize(
    ("provider", "model", "lists"),
    [
        ("openai", "gpt-4o", "genai-prices X and supplement 2026-11-21"),
        ("openai", "dall-e-3", "supplement 2026-11-21"),
        ("anthropic", "claude-opus-4-5", "genai-prices X"),
    ],
)
def test_the_lists_that_a_price_stands_in_are_named(provider: str, model: str, lists: str) -> None:
    """In the match and in each entry: genai-prices', ours, or both."""
    book = PriceBook(get_snapshot().providers, "genai-prices X", supplement=installed_supplement())
    found = book.match(provider, model)

    assert found.why.endswith(f" of {lists}")
    assert {entry.price_list for entry in found.entries} == {lists}


def test_another_name_of_a_model_is_told() -> None:
    """So that nobody wonders at the price."""
    why = price_book().match("openai", "gpt-4.5").why

    assert why.endswith("which is what the supplement says that gpt-4.5 is")


@pytest.mark.parametrize(
    ("provider", "model"),
    [("mistral_ai", "mistral-small-latest"), ("moonshot_ai", "kimi-k2"), ("gcp.gemini", "gemini-2.5-pro")],
)
def test_opentelemetrys_names_of_providers_are_known(provider: str, model: str) -> None:
    """Where the price list has another name for them."""
    assert price_book().match(provider, model).entries != ()


def test_a_deployment_has_the_price_of_its_model() -> None:
    """Whatever its case; the match still goes by the name that was recorded, and says why."""
    book = PriceBook(get_snapshot().providers, "list 1", {"our-chat": "gpt-4o", "gpt-5": "gpt-4o-mini"})
    found = book.match("azure.ai.openai", "Our-Chat")

    assert (found.model, found.price_key) == ("Our-Chat", "azure/gpt-4o")
    assert found.entries == book.match("azure.ai.openai", "gpt-4o").entries
    assert found.why.endswith("as a deployment of gpt-4o")
    assert book.match("azure.ai.openai", "gpt-5").price_key == "azure/gpt-4o-mini"
    assert book.match("azure.ai.openai", "other-chat").price_key is None


def test_a_deployment_of_an_unknown_model_is_unpriced() -> None:
    """A slip in the setting is told, not priced."""
    found = PriceBook(get_snapshot().providers, "list 1", {"our-chat": "gpt-99"}).match("openai", "our-chat")

    assert (found.price_key, found.model) == (None, "our-chat")
    assert "as a deployment of gpt-99" in found.why
