"""Random requests over all models, and what genai-prices itself says they cost."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import msgspec
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price, types
from genai_prices.data_snapshot import get_snapshot

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
    "audio_seconds": "audio_seconds",
}
# A record does not say which of the cached tokens were sound or picture; they are taken for text.
_CACHED_PARTS = {f"cache_{modality}_{kind}_tokens": 0 for modality in ("audio", "image") for kind in ("read", "write")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request of one model."""

    provider: str
    model: str
    tier: str | None
    is_batch: bool
    moment: datetime
    usage: Usage

    def record(self) -> Record:
        return make_record(
            usage=self.usage,
            provider_name=self.provider,
            request_model=self.model,
            response_model=None,
            service_tier=self.tier,
            is_batch=self.is_batch,
            started_at=self.moment,
        )

    def expected(self) -> tuple[str, Decimal | None]:
        """The state and the cost."""
        if (self.usage.input_tokens, self.usage.output_tokens, self.usage.audio_seconds) == (None, None, None):
            return "no_usage", None
        try:
            self._theirs(Usage())
        except LookupError:
            return "unpriced", None
        try:
            found = self._theirs(self.usage)
        except ValueError:
            return "impossible", None
        return ("priced", found.total_price) if _is_measured(self.usage, found.model_price) else ("unpriced", None)

    def _theirs(self, usage: Usage) -> types.PriceCalculation:
        values = {
            _THEIR_NAMES[name]: value for name, value in msgspec.structs.asdict(usage).items() if value is not None
        }
        return calc_price(
            TheirUsage(**values, **_CACHED_PARTS),
            model_ref=self.model,
            provider_id=self.provider,
            genai_request_timestamp=self.moment,
            price_context={"processing": "batch"} if self.is_batch else _CONTEXTS.get(self.tier or ""),
        )


def _is_measured(usage: Usage, prices: types.ModelPrice) -> bool:
    """Whether what was used has a price; genai-prices says 0 where nothing has.

    An answer whose input nobody could read is not priced by its output alone.
    """
    pairs = (
        (usage.input_tokens, prices.input_mtok),
        (usage.output_tokens if prices.input_mtok is None else None, prices.output_mtok),
        (usage.audio_seconds, prices.audio_hours),
    )
    if prices.requests_kcount is not None or all(price is None for _, price in pairs):
        return True
    return any(used is not None and price is not None for used, price in pairs)


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
    if chance.random() < 0.02:
        parts[chance.choice(list(parts))] = -1
    seconds = chance.choice([None, None, 0.0, 59.5, chance.randrange(10_000_000) / 1000])
    return Usage(
        input_tokens=None if chance.random() < 0.05 else total,
        output_tokens=None if chance.random() < 0.1 else written,
        audio_seconds=seconds,
        **parts,
    )


_INPUT_PARTS = ("cache_read_input_tokens", "cache_creation_input_tokens", "input_audio_tokens", "input_image_tokens")
_OUTPUT_PARTS = ("reasoning_output_tokens", "output_audio_tokens", "output_image_tokens")


def _part(chance: random.Random, total: int, share: float) -> int | None:
    return chance.choice([None, None, 0, chance.randrange(int(total * share) + 1)])
