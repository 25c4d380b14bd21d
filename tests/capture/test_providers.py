"""Hosts and the names of those who answer there."""

import pytest
from genai_prices.data import providers

from monitor.capture.providers import _HOSTS, provider_of, region_of
from tests.world import price_book

# Providers that are named here, and that the price list does not have.
_WITHOUT_PRICES = {"ollama", "lm_studio", "huggingface", "github", "nebius", "dashscope", "vercel", "nvidia"}


@pytest.mark.parametrize(
    ("host", "port", "provider"),
    [
        ("us.api.openai.com", None, "openai"),
        ("API.OpenAI.com.", None, "openai"),
        ("mine.openai.azure.us", None, "azure.ai.openai"),
        ("bedrock-mantle.us-east-1.api.aws", None, "aws.bedrock"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", None, "aws.bedrock"),
        ("vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", None, "aws.bedrock"),
        ("my-vllm-1.eu-west-1.elb.amazonaws.com", None, "openai"),
        ("aiplatform.googleapis.com", None, "gcp.vertex_ai"),
        ("europe-west4-aiplatform.googleapis.com", None, "gcp.vertex_ai"),
        ("aiplatform.eu.rep.googleapis.com", None, "gcp.vertex_ai"),
        ("generativelanguage.googleapis.com", None, "gcp.gemini"),
        ("storage.googleapis.com", None, "openai"),
        ("us-east-1.api.x.ai", None, "x-ai"),
        ("api.together.xyz", None, "together"),
        ("oai.endpoints.kepler.ai.cloud.ovh.net", None, "ovhcloud"),
        ("adb-1.2.azuredatabricks.net", None, "databricks"),
        ("x.us-east-1.aws.endpoints.huggingface.cloud", None, "huggingface"),
        ("models.inference.ai.azure.com", None, "github"),
        ("oai.helicone.ai", None, "openai"),
        ("gateway.ai.cloudflare.com", None, "openai"),
        ("api.portkey.ai", None, "openai"),
        ("localhost", 11434, "ollama"),
        ("localhost", 1234, "lm_studio"),
        ("localhost", 8000, "openai"),
        ("127.0.0.1", 8080, "openai"),
        ("myapi.groq.com", None, "openai"),
        ("api.groq.com.example.org", None, "openai"),
        ("::1", 8000, "openai"),
        ("", None, "openai"),
        (".", None, "openai"),
    ],
)
def test_a_host_has_a_provider(host: str, port: int | None, provider: str) -> None:
    """Subdomains count, look-alikes do not; what nobody knows is taken for a proxy of OpenAI."""
    assert provider_of(host, port, {}) == provider


def test_the_names_are_those_of_the_price_list() -> None:
    """Where the list has a provider, its prices are found; our table may name more."""
    unknown = {name for name in _HOSTS.values() if "no price list" in price_book().match(name, "some-model").why}

    assert unknown & {provider.id for provider in providers} == set()
    assert unknown >= _WITHOUT_PRICES - {"ollama", "lm_studio"}
    assert {
        "openrouter",
        "groq",
        "together",
        "deepseek",
        "moonshotai",
        "azure.ai.openai",
        "gcp.gemini",
    } & unknown == set()


def test_openais_prices_are_not_taken_for_others() -> None:
    """A local server has no prices, whatever it calls its models."""
    assert price_book().match(provider_of("localhost", 11434, {}), "gpt-4o").price_key is None


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("eu.api.openai.com", "eu"),
        ("US.API.OpenAI.com.", "us"),
        ("in.api.openai.com", "in"),
        ("api.openai.com", None),
        ("xx.api.openai.com", None),
        ("eu.api.openai.com.example.org", None),
        ("a.eu.api.openai.com", None),
        ("euxapi.openai.com", None),
        ("", None),
    ],
)
def test_a_host_tells_its_region(host: str, region: str | None) -> None:
    """Of the regions that OpenAI has hosts for; look-alikes tell nothing."""
    assert region_of(host) == region
