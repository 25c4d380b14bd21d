"""Who answers behind a host: the provider's name decides the price list."""

import functools
from collections.abc import Mapping
from typing import Final

DEFAULT: Final = "openai"
"""The name for hosts that nobody mapped. A proxy in front of OpenAI is the common case; a model that OpenAI does
not have stays unpriced."""

_SUFFIXES: Final = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.openai",
    "azure-api.net": "azure.ai.openai",
    "api.aws": "aws.bedrock",
    "amazonaws.com": "aws.bedrock",
    "googleapis.com": "gcp.vertex_ai",
    "openrouter.ai": "openrouter",
    "api.groq.com": "groq",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral",
    "api.x.ai": "x-ai",
    "api.perplexity.ai": "perplexity",
    "api.cerebras.ai": "cerebras",
    "api.anthropic.com": "anthropic",
}
_PORTS: Final = {11434: "ollama"}


@functools.lru_cache(maxsize=256)
def _known(host: str, port: int | None) -> str:
    for suffix, name in _SUFFIXES.items():
        if host == suffix or host.endswith(f".{suffix}"):
            return name
    return _PORTS.get(port or 0, DEFAULT)


def provider_of(host: str, port: int | None, mapped: Mapping[str, str]) -> str:
    """The provider's name: the user's map (`host:port` before `host`), else the well-known hosts, else openai."""
    if mapped:
        name = mapped.get(f"{host}:{port}") or mapped.get(host)
        if name:
            return name
    return _known(host, port)
