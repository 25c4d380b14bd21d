"""Who answers behind a host: the provider's name decides the price list."""

import functools
import re
from collections.abc import Mapping
from typing import Final

DEFAULT: Final = "openai"
"""The name for hosts that nobody mapped. A proxy in front of OpenAI is the common case; a model that OpenAI does
not have stays unpriced."""

# Names are those of genai-prices where it has a list; Azure, AWS and Google are named as OpenTelemetry names them.
# Gateways that pass the caller's own OpenAI key through (Helicone, Portkey, Cloudflare) are openai: OpenAI bills.
_HOSTS: Final = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "openai.azure.us": "azure.ai.openai",
    "openai.azure.cn": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.us": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.openai",
    "models.ai.azure.com": "azure.ai.openai",
    "inference.ml.azure.com": "azure.ai.openai",
    "azure-api.net": "azure.ai.openai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "api.ai21.com": "ai21",
    "dashscope.aliyuncs.com": "dashscope",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "dashscope-us.aliyuncs.com": "dashscope",
    "api.anthropic.com": "anthropic",
    "api.arcee.ai": "arcee",
    "api.avian.io": "avian",
    "inference.baseten.co": "baseten",
    "api.cerebras.ai": "cerebras",
    "llm.chutes.ai": "chutes",
    "api.cloudflare.com": "cloudflare",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "cloud.databricks.com": "databricks",
    "azuredatabricks.net": "databricks",
    "gcp.databricks.com": "databricks",
    "api.deepinfra.com": "deepinfra",
    "api.deepseek.com": "deepseek",
    "inference.do-ai.run": "digitalocean",
    "api.doubleword.ai": "doubleword",
    "api.featherless.ai": "featherless",
    "api.fireworks.ai": "fireworks",
    "api.friendli.ai": "friendli",
    "models.github.ai": "github",
    "models.inference.ai.azure.com": "github",
    "githubcopilot.com": "github-copilot",
    "api.groq.com": "groq",
    "router.huggingface.co": "huggingface",
    "api-inference.huggingface.co": "huggingface",
    "endpoints.huggingface.cloud": "huggingface",
    "api.hyperbolic.xyz": "hyperbolic",
    "api.inference.net": "inference.net",
    "api.lambda.ai": "lambda",
    "api.meta.ai": "meta",
    "api.minimax.io": "minimax",
    "api.minimax.chat": "minimax",
    "api.minimaxi.com": "minimax",
    "api.mistral.ai": "mistral",
    "modal.direct": "modal",
    "api.moonshot.ai": "moonshotai",
    "api.moonshot.cn": "moonshotai",
    "api.studio.nebius.ai": "nebius",
    "api.studio.nebius.com": "nebius",
    "tokenfactory.nebius.com": "nebius",
    "api.novita.ai": "novita",
    "inference.api.nscale.com": "nscale",
    "integrate.api.nvidia.com": "nvidia",
    "openrouter.ai": "openrouter",
    "cloud.ovh.net": "ovhcloud",
    "api.perplexity.ai": "perplexity",
    "api.poe.com": "poe",
    "api.replicate.com": "replicate",
    "openai-proxy.replicate.com": "replicate",
    "router.requesty.ai": "requesty",
    "api.sambanova.ai": "sambanova",
    "api.scaleway.ai": "scaleway",
    "api.siliconflow.cn": "siliconflow",
    "api.siliconflow.com": "siliconflow",
    "snowflakecomputing.com": "snowflake",
    "api.together.ai": "together",
    "api.together.xyz": "together",
    "api.upstage.ai": "upstage",
    "api.venice.ai": "venice",
    "ai-gateway.vercel.sh": "vercel",
    "volces.com": "volcengine",
    "api.voyageai.com": "voyageai",
    "api.x.ai": "x-ai",
    "api.z.ai": "zai",
    "open.bigmodel.cn": "zhipuai",
}
TELL_USAGE: Final = frozenset({"openrouter"})
"""Providers whose streams tell the usage to whom did not ask, in a chunk of its own: openrouter.ai says of
`stream_options.include_usage` that it has no effect. Asked by us, the caller's chunk could not be told from ours."""

_REGIONS: Final = ("eu", "us", "ae", "au", "in", "jp")
"""Regions in which OpenAI processes what is asked of `REGION.api.openai.com`."""
_REGIONAL: Final = re.compile(rf"({'|'.join(_REGIONS)})\.api\.openai\.com\.?", re.IGNORECASE)
# Not every host of these companies is a model's: a load balancer of AWS may stand in front of anything.
_PATTERNS: Final = (
    (re.compile(r"(.*\.)?bedrock[a-z-]*\..*(amazonaws\.com(\.cn)?|api\.aws)"), "aws.bedrock"),
    (re.compile(r".*-aiplatform\.googleapis\.com|aiplatform\..*\.googleapis\.com"), "gcp.vertex_ai"),
)
# Only ports that one program is known for: vLLM's 8000 and llama.cpp's 8080 are everybody's.
_PORTS: Final = {11434: "ollama", 1234: "lm_studio"}


def provider_of(host: str, port: int | None, mapped: Mapping[str, str]) -> str:
    """The provider's name: the user's map (`host:port` before `host`), else the well-known hosts, else openai."""
    if mapped:
        name = mapped.get(f"{host}:{port}") or mapped.get(host)
        if name:
            return name
    return _known(host, port)


@functools.lru_cache(maxsize=256)
def _known(host: str, port: int | None) -> str:
    host = host.lower().rstrip(".")
    for pattern, name in _PATTERNS:
        if pattern.fullmatch(host):
            return name
    rest = host
    while rest:
        if rest in _HOSTS:
            return _HOSTS[rest]
        rest = rest.partition(".")[2]
    return _PORTS.get(port or 0, DEFAULT)


def region_of(host: str) -> str | None:
    """The region that a host of OpenAI processes in, in lower case; None where it is no host of a region."""
    found = _REGIONAL.fullmatch(host)
    return found[1].lower() if found else None
