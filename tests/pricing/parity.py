"""Random requests over all models, and what genai-prices itself says they cost: a book without our supplement."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import msgspec
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price, types
from genai_prices.data_snapshot import get_snapshot

from monitor.pricing.book import PriceBook
from monitor.pricing.entries import is_priced_by_other_units, is_priced_by_time_of_day
from monitor.records import Record, Usage
from tests.factories import NOW, make_record

PROVIDERS = ("openai", "azure", "anthropic", "google", "mistral", "perplexity", "x-ai", "deepseek")
TIERS = (None, "default", "auto", "flex", "priority", "fast")
_CONTEXTS = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast"},
}
_THEIR_NAMES = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "reasoning_output_tokens": "output_reasoning_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "output_image_tokens": "output_image_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "cache_read_image_tokens": "cache_image_read_tokens",
    "cache_creation_long_tokens": "cache_write_1h_tokens",
    "input_characters": "input_characters",
    "audio_seconds": "audio_seconds",
}
# What a record does not say is none: cached tokens of no kind are taken for text.
_NOTHING_SAID = {f"cache_{modality}_{kind}_tokens": 0 for modality in ("audio", "image") for kind in ("read", "write")}
_THEIR_TOOLS = {"web_search": "web_searches", "file_search": "storage_searches"}
_PRICES_OF_TOOLS = {"web_search": "web_searches_kcount", "file_search": "storage_searches_kcount"}


def list_book() -> PriceBook:
    """The prices of genai-prices alone."""
    return PriceBook(get_snapshot().providers, "genai-prices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request of one model."""

    provider: str
    model: str
    tier: str | None
    is_batch: bool
    moment: datetime
    usage: Usage
    tool_calls: dict[str, int] | None = None

    def record(self) -> Record:
        return make_record(
            usage=self.usage,
            provider_name=self.provider,
            request_model=self.model,
            response_model=None,
            service_tier=self.tier,
            is_batch=self.is_batch,
            started_at=self.moment,
            tool_calls=self.tool_calls,
        )

    def expected(self) -> tuple[str, Decimal | None]:
        """The state and the cost."""
        stated = (self.usage.input_tokens, self.usage.output_tokens, self.usage.audio_seconds)
        if stated == (None, None, None) and self.usage.input_characters is None and self.tool_calls is None:
            return "no_usage", None
        if any(value is not None and value < 0 for value in msgspec.structs.astuple(self.usage)):
            # A price is not even asked for.
            return "impossible", None
        try:
            self._theirs(Usage(), {})
        except LookupError:
            return "unpriced", None
        try:
            found = self._theirs(self.usage, self.tool_calls or {})
        except ValueError:
            return "impossible", None
        is_priced = self._is_measured(found.model_price) and not self._lacks_a_price(found.model_price)
        return ("priced", found.total_price) if is_priced else ("unpriced", None)

    def _theirs(self, usage: Usage, tool_calls: dict[str, int]) -> types.PriceCalculation:
        values = {
            _THEIR_NAMES[name]: value for name, value in msgspec.structs.asdict(usage).items() if value is not None
        }
        calls = {_THEIR_TOOLS[name]: count for name, count in tool_calls.items()}
        return calc_price(
            TheirUsage(**{**_NOTHING_SAID, **values, **calls}),
            model_ref=self.model,
            provider_id=self.provider,
            genai_request_timestamp=self.moment,
            price_context={"processing": "batch"} if self.is_batch else _CONTEXTS.get(self.tier or ""),
        )

    def _is_measured(self, prices: types.ModelPrice) -> bool:
        """Whether what was used has a price; genai-prices says 0 where nothing has."""
        usage = self.usage
        pairs = ((usage.audio_seconds, prices.audio_hours), (usage.input_characters, prices.input_mchars))
        return (
            prices.requests_kcount is not None
            or self._are_tokens_priced(prices)
            or any(used is not None and price is not None for used, price in pairs)
        )

    def _are_tokens_priced(self, prices: types.ModelPrice) -> bool:
        """An answer whose input nobody could read is not priced by its output alone."""
        usage = self.usage
        own = {name for name, price in vars(prices).items() if price is not None} - set(_PRICES_OF_TOOLS.values())
        if not own:
            return (usage.input_tokens, usage.output_tokens, usage.audio_seconds) != (None, None, None)
        if prices.input_mtok is not None:
            return usage.input_tokens is not None
        return prices.output_mtok is not None and usage.output_tokens is not None

    def _lacks_a_price(self, prices: types.ModelPrice) -> bool:
        """Whether something was used that nothing has a price for."""
        calls = self.tool_calls or {}
        if any(count and getattr(prices, _PRICES_OF_TOOLS[name]) is None for name, count in calls.items()):
            return True
        pairs = ((self.usage.audio_seconds, prices.audio_hours), (self.usage.input_characters, prices.input_mchars))
        return not self._are_tokens_priced(prices) and any(used and price is None for used, price in pairs)


def priced_models(providers: Sequence[str] = PROVIDERS) -> list[tuple[str, types.ModelInfo]]:
    """All models with their provider, but those that we leave unpriced on purpose."""
    return [
        (provider.id, model)
        for provider in get_snapshot().providers
        if provider.id in providers
        for model in provider.models
        if not is_priced_by_time_of_day(model)
        and not is_priced_by_other_units(model)
        and not (provider.id == "openai" and model.id.startswith("gpt-oss"))
    ]


def moments_of(model: types.ModelInfo) -> list[datetime]:
    """Before and after each change of its prices, and now."""
    standard = [] if isinstance(model.prices, types.ModelPrice) else model.prices
    constraints = [item.constraint for item in (*standard, *(model.price_variants or ()))]
    days = {item.start_date for item in constraints if isinstance(item, types.StartDateConstraint)}
    return [NOW, *(moment for day in sorted(days) for moment in _around(day))]


def _around(day: date) -> Iterator[datetime]:
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    yield midnight - timedelta(microseconds=1)
    yield midnight


def sizes_of(model: types.ModelInfo) -> list[int]:
    """Prompts at each step of its prices, and plain ones."""
    prices = [model.prices] if isinstance(model.prices, types.ModelPrice) else [item.prices for item in model.prices]
    steps = {
        tier.start
        for price in prices
        for value in vars(price).values()
        if isinstance(value, types.TieredPrices)
        for tier in value.tiers
    }
    return sorted({1, 1_000, *(step + more for step in (272_000, *steps) for more in (-1, 0, 1))})


def random_usage(chance: random.Random, sizes: Sequence[int]) -> Usage:
    """Mostly possible, now and then not."""
    total = chance.choice([*sizes, chance.randrange(2_000_000)])
    written = chance.choice([0, 1, 100, chance.randrange(100_000)])
    share = 1.3 if chance.random() < 0.1 else 0.3
    parts = {name: _part(chance, total, share) for name in _INPUT_PARTS}
    parts |= {name: _part(chance, written, share) for name in _OUTPUT_PARTS}
    if chance.random() < 0.05:
        parts |= {name: _part(chance, total, share) for name in _PARTS_OF_PARTS}
    else:
        parts |= {name: _part(chance, _smallest(parts, wholes), share) for name, wholes in _PARTS_OF_PARTS.items()}
    if chance.random() < 0.02:
        parts[chance.choice(list(parts))] = -1
    seconds = chance.choice([None, None, 0.0, 59.5, chance.randrange(10_000_000) / 1000])
    return Usage(
        input_tokens=None if chance.random() < 0.05 else total,
        output_tokens=None if chance.random() < 0.1 else written,
        audio_seconds=seconds,
        **parts,
    )


def random_case(chance: random.Random, models: Sequence[tuple[str, types.ModelInfo]]) -> Case:
    """Any request of any of these models, with tools and characters too."""
    provider, model = chance.choice(models)
    usage = random_usage(chance, sizes_of(model))
    if chance.random() < 0.2:
        usage = msgspec.structs.replace(usage, input_characters=chance.randrange(100_000))
    tiers = [tier for tier in TIERS if tier != "fast" or provider in OWN_PROVIDERS]
    return Case(
        provider=provider,
        model=model.id,
        tier=chance.choice(tiers),
        is_batch=chance.random() < 0.2,
        moment=chance.choice(moments_of(model)),
        usage=usage,
        tool_calls={name: chance.randrange(4) for name in _THEIR_TOOLS} if chance.random() < 0.2 else None,
    )


OWN_PROVIDERS = ("openai", "azure")
_INPUT_PARTS = ("cache_read_input_tokens", "cache_creation_input_tokens", "input_audio_tokens", "input_image_tokens")
_OUTPUT_PARTS = ("reasoning_output_tokens", "output_audio_tokens", "output_image_tokens")
_PARTS_OF_PARTS = {
    "cache_read_audio_tokens": ("cache_read_input_tokens", "input_audio_tokens"),
    "cache_read_image_tokens": ("cache_read_input_tokens", "input_image_tokens"),
    "cache_creation_long_tokens": ("cache_creation_input_tokens",),
}


def _part(chance: random.Random, total: int, share: float) -> int | None:
    return chance.choice([None, None, 0, chance.randrange(max(0, int(total * share)) + 1)])


def _smallest(parts: dict[str, int | None], wholes: Sequence[str]) -> int:
    return min(parts[whole] or 0 for whole in wholes)
