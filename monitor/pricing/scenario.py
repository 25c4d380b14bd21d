"""What-if: under which other models, tiers, cache rates, prices and discounts requests are costed again. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from monitor.errors import PricingError
from monitor.pricing.book import PriceBook, provider_id
from monitor.pricing.own import OwnPrices, require_factor
from monitor.pricing.saying import describe_factor
from monitor.pricing.supplement import TIERS

Model = tuple[str, str]
"""A provider as recorded, and a model."""

_MILLIONTH: Final = Decimal("1E-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What would be other than it was.

    Attributes:
        models: pairs of a model and the one that would take its place; the first that holds counts. The left one is
            the recorded name, or the id in the price list, or a pattern of either, with or without `provider/`. The
            right one may have `provider/` too.
        tier: the tier of all requests, one of `TIERS`; None as it was.
        cache_rate: the part of each prompt that would be read from the cache; None as it was.
        factor: the part of the list cost that would be paid.
        own: own prices that would hold in the place of those that hold now; None for these.
    """

    models: tuple[tuple[str, str], ...] = ()
    tier: str | None = None
    cache_rate: Decimal | None = None
    factor: Decimal = Decimal(1)
    own: OwnPrices | None = None

    @property
    def is_about_all(self) -> bool:
        """Whether it changes what every request is priced by; else only those of its models."""
        return self.tier is not None or self.cache_rate is not None or self.own is not None

    @property
    def assumptions(self) -> str:
        """What it takes for granted, in one sentence."""
        said = ["the same requests with the same tokens, each at the prices of its own day"]
        said += [f"{old} as {new}" for old, new in self.models]
        said += [] if self.tier is None else [f"all at the tier {self.tier}, or the default price where it has none"]
        said += [] if self.cache_rate is None else [f"{_percent(self.cache_rate)} of each prompt read from the cache"]
        said += [] if self.own is None else ["own prices of the file in the place of yours"]
        said += [] if self.factor == 1 else [f"{describe_factor(self.factor)} paid"]
        return f"Assumed: {'; '.join(said)}."


def require_scenario(scenario: Scenario) -> Scenario:
    """The same scenario.

    Raises:
        PricingError: something in it cannot be; the text says what.
    """
    for old, new in scenario.models:
        if not old or not new:
            raise PricingError(f"{old}={new} names no model on one side. Write it like gpt-4o=gpt-4o-mini.")
    if scenario.tier is not None and scenario.tier not in TIERS:
        raise PricingError(f"{scenario.tier!r} is no tier. The tiers are: {', '.join(TIERS)}.")
    rate = scenario.cache_rate
    if rate is not None and (not 0 <= rate <= 1 or rate != rate.quantize(_MILLIONTH)):
        raise PricingError(
            f"{_percent(rate)} is no cache rate: from 0% to 100% can be, with four digits after the point."
        )
    require_factor(scenario.factor)
    return scenario


def models_then(scenario: Scenario, book: PriceBook, known: Iterable[Model]) -> dict[Model, Model]:
    """Of the known models those that others would take the place of, and which."""
    found = {}
    for model in known:
        names = set(_names(book, model))
        new = next((new for old, new in scenario.models if any(fnmatchcase(name, old.lower()) for name in names)), None)
        if new is not None:
            found[model] = _target(book, model[0], new)
    return found


def unmet(scenario: Scenario, book: PriceBook, known: Iterable[Model]) -> tuple[str, ...]:
    """The models of the scenario that are none of the known ones."""
    names = {name for model in known for name in _names(book, model)}
    return tuple(old for old, _ in scenario.models if not any(fnmatchcase(name, old.lower()) for name in names))


def _names(book: PriceBook, model: Model) -> Iterator[str]:
    """All names that one may call a model, in lower case."""
    provider_name, name = model
    key = book.match(provider_name, name).price_key
    listed = () if key is None else (key, key.partition("/")[2])
    for one in (name, f"{provider_id(provider_name)}/{name}", *listed):
        yield one.lower()


def _target(book: PriceBook, provider_name: str, new: str) -> Model:
    # Names of models may have a slash themselves, as those of OpenRouter.
    provider, has_provider, name = new.partition("/")
    if has_provider and book.match(provider, name).price_key is not None:
        return provider, name
    return provider_name, new


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f}%"
