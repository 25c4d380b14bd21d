"""The price book: which entries hold for a provider and a model. Pure; the data come with genai-prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from genai_prices import types

from monitor.pricing.entries import PriceEntry, entries_of, is_priced_by_other_units, is_priced_by_time_of_day

_PROVIDERS: Final = {
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "aws.bedrock": "aws",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
}
"""OpenTelemetry's provider names, where genai-prices has another."""

_NOT_VENDOR_PRICES: Final = ("gpt-oss",)
"""Open-weight models that genai-prices lists under openai, who does not sell them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What the price book says to a provider and model; `price_key` is None where it has no price, `why` tells why."""

    provider_name: str
    model: str
    price_key: str | None
    why: str
    entries: tuple[PriceEntry, ...] = ()


def model_of_deployment(name: str, deployments: Mapping[str, str]) -> str:
    """The model behind a name that an answer, else the request, states; the name itself where nobody mapped it.

    Args:
        name: the stated name.
        deployments: models by the name of their deployment, in lower case.
    """
    return deployments.get(name.lower(), name) if deployments else name


class PriceBook:
    """Finds prices; build it from a genai-prices snapshot.

    Args:
        providers: the providers of the snapshot.
        version: name and version of the list, such as `genai-prices 0.2.3`.
        deployments: models by the name of their deployment, in lower case.
    """

    def __init__(
        self, providers: Sequence[types.Provider], version: str, deployments: Mapping[str, str] | None = None
    ) -> None:
        """Keep the snapshot; nothing is computed yet."""
        self._providers = {provider.id: provider for provider in providers}
        self._deployments = deployments or {}
        self.version = version

    def match(self, provider_name: str, model: str) -> Match:
        """Find the entries for a provider as recorded and a model, or a deployment of one, as it answered."""
        deployed = model_of_deployment(model, self._deployments)
        if deployed != model:
            found = self._match(provider_name, deployed)
            return replace(found, model=model, why=f"{found.why}, as a deployment of {deployed}")
        return self._match(provider_name, model)

    def _match(self, provider_name: str, model: str) -> Match:
        provider = self._providers.get(_PROVIDERS.get(provider_name, provider_name))
        if provider is None:
            return self._unpriced(provider_name, model, f"no price list for the provider {provider_name}")
        if provider.id == "openai" and model.startswith(_NOT_VENDOR_PRICES):
            return self._unpriced(provider_name, model, "an open-weight model that OpenAI does not sell")
        found = provider.find_model(model, all_providers=list(self._providers.values()))
        if found is None:
            return self._unpriced(provider_name, model, f"{self.version} does not know this model")
        if is_priced_by_time_of_day(found):
            return self._unpriced(provider_name, model, "its price depends on the time of day")
        if is_priced_by_other_units(found):
            return self._unpriced(provider_name, model, "its prices are for units that price entries do not have")
        is_own = any(found is own for own in provider.models)
        price_key = f"{provider.id}/{found.id}"
        entries = entries_of(found, price_key=price_key, has_tiers=is_own, price_list=self.version)
        return Match(
            provider_name=provider_name,
            model=model,
            price_key=price_key,
            why=f"matched {price_key} of {self.version}",
            entries=tuple(entries),
        )

    def _unpriced(self, provider_name: str, model: str, why: str) -> Match:
        return Match(provider_name=provider_name, model=model, price_key=None, why=why)
