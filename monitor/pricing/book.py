"""The price book: which entries hold for a provider and a model. Pure; the data come with genai-prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from genai_prices import types

from monitor.pricing.entries import PriceEntry, entries_of, is_priced_by_other_units, is_priced_by_time_of_day
from monitor.pricing.supplement import Supplement

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
        supplement: prices that the list lacks or has wrong.
    """

    def __init__(
        self,
        providers: Sequence[types.Provider],
        version: str,
        deployments: Mapping[str, str] | None = None,
        supplement: Supplement | None = None,
    ) -> None:
        """Keep the snapshot; nothing is computed yet."""
        self._providers = {provider.id: provider for provider in providers}
        self._deployments = deployments or {}
        self._supplement = supplement
        self._list = version
        self.version = version if supplement is None else f"{version} and {supplement.name}"

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
        own = None if self._supplement is None else self._supplement.model_of(provider.id, model)
        found = provider.find_model(own or model, all_providers=list(self._providers.values()))
        why = self._why_not(provider, model, found, is_own=own is not None)
        if why is not None:
            return self._unpriced(provider_name, model, why)
        is_there = found is None or any(found is one for one in provider.models)
        price_key = f"{provider.id}/{own if found is None else found.id}"
        match = self._priced(provider_name, model, price_key, found, has_tiers=is_there)
        if own is None or found is None:
            return match
        return replace(match, why=f"{match.why}, which is what the supplement says that {model} is")

    def _why_not(
        self, provider: types.Provider, model: str, found: types.ModelInfo | None, *, is_own: bool
    ) -> str | None:
        if provider.id == "openai" and model.startswith(_NOT_VENDOR_PRICES):
            return "an open-weight model that OpenAI does not sell"
        if found is None:
            return None if is_own else f"{self.version} does not know this model"
        if is_priced_by_time_of_day(found):
            return "its price depends on the time of day"
        if is_priced_by_other_units(found) and not is_own:
            return "its prices are for units that price entries do not have"
        return None

    def _priced(
        self, provider_name: str, model: str, price_key: str, found: types.ModelInfo | None, *, has_tiers: bool
    ) -> Match:
        provider_id, _, model_id = price_key.partition("/")
        supplement = None if self._supplement is None else self._supplement.about(provider_id, model_id)
        entries = entries_of(
            found, price_key=price_key, has_tiers=has_tiers, price_list=self._list, supplement=supplement
        )
        lists = ", ".join(sorted({entry.price_list for entry in entries}, reverse=True))
        return Match(
            provider_name=provider_name,
            model=model,
            price_key=price_key,
            why=f"matched {price_key} of {lists}",
            entries=tuple(entries),
        )

    def _unpriced(self, provider_name: str, model: str, why: str) -> Match:
        return Match(provider_name=provider_name, model=model, price_key=None, why=why)
