"""The price book: which entries hold for a provider and a model. Pure; the data come with genai-prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from genai_prices import types

from monitor.pricing.entries import PriceEntry, entries_of, is_priced_by_other_units, is_priced_by_time_of_day
from monitor.pricing.own import OWN_LIST, OwnPrice, OwnPriceIndex, OwnPrices, is_pattern
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
    """What the price book says to a provider and model; `price_key` is None where it has no price, `why` tells why.

    `is_told` says whether the user has said what model goes by the name.
    """

    provider_name: str
    model: str
    price_key: str | None
    why: str
    entries: tuple[PriceEntry, ...] = ()
    is_told: bool = False


def model_of_deployment(name: str, deployments: Mapping[str, str]) -> str:
    """The model behind a name that an answer, else the request, states; the name itself where nobody mapped it.

    Args:
        name: the stated name.
        deployments: models by the name of their deployment, in lower case.
    """
    return deployments.get(name.lower(), name) if deployments else name


def provider_id(provider_name: str) -> str:
    """What price lists call a provider that records call so."""
    return _PROVIDERS.get(provider_name, provider_name)


def answering_name(model: str) -> str:
    """A name by which a model of a list answers, a pattern too: what was tuned has its owner's name behind it."""
    return f"{model}:*" if model.startswith("ft:") and model.count(":") == 1 else model


class PriceBook:
    """Finds prices; build it from a genai-prices snapshot.

    Args:
        providers: the providers of the snapshot.
        version: name and version of the list, such as `genai-prices 0.2.3`.
        deployments: models by the name of their deployment, in lower case.
        supplement: prices that the list lacks or has wrong.
        own: what the user says of prices; it goes before both.
    """

    def __init__(
        self,
        providers: Sequence[types.Provider],
        version: str,
        deployments: Mapping[str, str] | None = None,
        supplement: Supplement | None = None,
        own: OwnPrices | None = None,
    ) -> None:
        """Keep the snapshot; nothing is computed yet."""
        self.own = own or OwnPrices()
        self._own_prices = OwnPriceIndex(self.own)
        self._providers = {provider.id: provider for provider in providers}
        self._deployments = deployments or {}
        self._supplement = supplement
        self._list = version
        self.version = version if supplement is None else f"{version} and {supplement.name}"

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that have a price list, as lists call them."""
        return tuple(sorted(self._providers))

    def models(self, provider_name: str) -> tuple[str, ...]:
        """The models of a provider that lists or people name."""
        provider_key = provider_id(provider_name)
        provider = self._providers.get(provider_key)
        listed = () if provider is None else (model.id for model in provider.models)
        named = () if self._supplement is None else self._supplement.names
        said = (name.name for name in self.own.names if name.provider == provider_key)
        priced = (price.model for price in self.own.prices if price.provider == provider_key)
        supplemented = (name.model for name in named if name.provider == provider_key)
        return tuple(sorted({*listed, *supplemented, *(name for name in (*said, *priced) if not is_pattern(name))}))

    def own_prices(self, *models: tuple[str, str | None]) -> tuple[OwnPrice, ...]:
        """What the user says of a model that is any of these pairs of provider (as lists call it) and name.

        The oldest comes first.
        """
        return self._own_prices.about(*models)

    def layers(self) -> tuple[tuple[str, "PriceBook"], ...]:
        """What each list says with those before it, by the list's name; this book is the last. All know all names."""
        names = OwnPrices(names=self.own.names)
        providers, supplement = tuple(self._providers.values()), self._supplement
        if supplement is None:
            return ((self._list, PriceBook(providers, self._list, self._deployments, None, names)), (OWN_LIST, self))
        bare = msgspec.structs.replace(supplement, prices=(), multiples=(), tiers=())
        return (
            (self._list, PriceBook(providers, self._list, self._deployments, bare, names)),
            (supplement.name, PriceBook(providers, self._list, self._deployments, supplement, names)),
            (OWN_LIST, self),
        )

    def with_own(self, own: OwnPrices) -> "PriceBook":
        """The same lists with this in the place of what the user says of prices."""
        return PriceBook(tuple(self._providers.values()), self._list, self._deployments, self._supplement, own)

    def match(self, provider_name: str, model: str) -> Match:
        """Find the entries for a provider as recorded and a model, or a deployment of one, as it answered."""
        deployed = model_of_deployment(model, self._deployments)
        named = self.own.name_of(provider_id(provider_name), deployed)
        asked = (provider_name, deployed) if named is None else (named.of_provider, named.model)
        found = replace(
            self._match(*asked, recorded=(provider_id(provider_name), deployed)),
            provider_name=provider_name,
            model=model,
            is_told=named is not None or deployed != model,
        )
        if named is not None:
            found = replace(found, why=f"{found.why}, which is what you say that {deployed} is")
        return found if deployed == model else replace(found, why=f"{found.why}, as a deployment of {deployed}")

    def _match(self, provider_name: str, model: str, *, recorded: tuple[str, str]) -> Match:
        provider_key = provider_id(provider_name)
        provider = self._providers.get(provider_key)
        named = None if self._supplement is None else self._supplement.model_of(provider_key, model)
        found = None
        if provider is not None:
            found = provider.find_model(named or model, all_providers=list(self._providers.values()))
        listed = named if found is None else found.id
        own = self._own_prices.about((provider_key, model), (provider_key, listed), recorded)
        why = self._why_not(provider, provider_name, model, found, is_supplemented=named is not None)
        if why is not None:
            if not own:
                return self._unpriced(provider_name, model, why)
            found = None
        # Prices that hold for the recorded name alone must not be taken for those of the listed model.
        is_listed = listed is not None and all(row.is_about((provider_key, listed)) for row in own)
        price_key = f"{provider_key}/{listed}" if is_listed else f"{recorded[0]}/{recorded[1].lower()}"
        match = self._priced(provider_name, model, price_key, found, own)
        if named is None or found is None:
            return match
        return replace(match, why=f"{match.why}, which is what the supplement says that {model} is")

    def _why_not(
        self,
        provider: types.Provider | None,
        provider_name: str,
        model: str,
        found: types.ModelInfo | None,
        *,
        is_supplemented: bool,
    ) -> str | None:
        if provider is None:
            return f"no price list for the provider {provider_name}"
        if provider.id == "openai" and model.startswith(_NOT_VENDOR_PRICES):
            return "an open-weight model that OpenAI does not sell"
        if found is None:
            return None if is_supplemented else f"{self.version} does not know this model"
        if is_priced_by_time_of_day(found):
            return "its price depends on the time of day"
        if is_priced_by_other_units(found) and not is_supplemented:
            return "its prices are for units that price entries do not have"
        return None

    def _priced(
        self,
        provider_name: str,
        model: str,
        price_key: str,
        found: types.ModelInfo | None,
        own: Sequence[OwnPrice],
    ) -> Match:
        provider_key = provider_id(provider_name)
        provider = self._providers.get(provider_key)
        supplement = None
        if self._supplement is not None:
            named = self._supplement.model_of(provider_key, model)
            supplement = self._supplement.about(provider_key, (named or model) if found is None else found.id)
        entries = entries_of(
            found,
            price_key=price_key,
            has_tiers=found is None or provider is None or any(found is one for one in provider.models),
            price_list=self._list,
            supplement=supplement,
            own=own,
        )
        lists = " and ".join(dict.fromkeys(name for one in entries for name in one.price_list.split(" and ")))
        return Match(
            provider_name=provider_name,
            model=model,
            price_key=price_key,
            why=f"matched {price_key} of {lists}",
            entries=tuple(entries),
        )

    def _unpriced(self, provider_name: str, model: str, why: str) -> Match:
        return Match(provider_name=provider_name, model=model, price_key=None, why=why)
