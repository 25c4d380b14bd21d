"""The list cost of one record, in Python: what `ledger/costs.py` says in SQL, to the last digit. Pure.

A test holds the two together.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Final

from monitor.pricing.entries import PriceEntry
from monitor.pricing.figures import EXACT, Priced
from monitor.pricing.works import BEGINNINGS
from monitor.records import UNFINISHED, Record

_MONEY: Final = Decimal("1E-18")
_MILLISECONDS: Final = Decimal(1_000)
_NOTHING: Final = Decimal(0)
_INPUT_PARTS: Final = {
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_creation",
    "input_audio_tokens": "input_audio",
    "input_image_tokens": "input_image",
}
_OUTPUT_PARTS: Final = {
    "reasoning_output_tokens": "reasoning",
    "output_audio_tokens": "output_audio",
    "output_image_tokens": "output_image",
}
_QUANTITIES: Final = ("input_tokens", "output_tokens", *_INPUT_PARTS, *_OUTPUT_PARTS, "audio_seconds")
_PRICEABLE: Final = ("input_tokens", "output_tokens", "audio_seconds")
"""Totals that a price entry can have a price for."""
_TOTALS: Final = (*_PRICEABLE, "trained_tokens", "video_seconds", "input_characters", "image_count")
_IMAGE_OPERATIONS: Final = frozenset({"image_generation", "image_edit", "image_variation"})
_COUNTING_SOURCES: Final = frozenset({"response", "estimated", "imported"})
_OUTCOMES_THAT_COST: Final = frozenset({"completed", "interrupted", "unknown"})
_TIERS: Final = {
    None: "default",
    "auto": "default",
    "standard": "default",
    "scale": "default",
    "fast": "priority",
}


def price(record: Record, entries: Sequence[PriceEntry]) -> Priced:
    """The list cost of a record by the entries of its model."""
    state, entry = _state(record, entries)
    if state != "priced" or entry is None:
        return Priced(state=state)
    with localcontext(EXACT):
        return Priced(state=state, list_cost=_list_cost(record, entry.unit_prices), sku_price_id=entry.sku_price_id)


def _state(record: Record, entries: Sequence[PriceEntry]) -> tuple[str, PriceEntry | None]:
    if record.usage_source == "repeated":
        return "repeated", None
    if record.usage_source not in _COUNTING_SOURCES or not _states(record, _TOTALS):
        return _state_without_usage(record), None
    entry = _entry_of(record, entries)
    if entry is None:
        return "unpriced", None
    if _is_impossible(record, entry.unit_prices):
        return "impossible", None
    return ("priced" if _is_measured(record, entry.unit_prices) else "unpriced"), entry


def _state_without_usage(record: Record) -> str:
    if _is_pending(record):
        return "pending"
    is_owed = record.is_billable and record.outcome in _OUTCOMES_THAT_COST and record.answer_status != "failed"
    return "no_usage" if is_owed else "free"


def _is_pending(record: Record) -> bool:
    """Whether work has begun and what it used comes later."""
    begins_work = record.method == "POST" and record.endpoint in BEGINNINGS
    return (
        record.usage_source == "none"
        and record.outcome in ("completed", "interrupted")
        and record.answer_status in UNFINISHED
        and (record.is_billable or begins_work)
    )


def _entry_of(record: Record, entries: Sequence[PriceEntry]) -> PriceEntry | None:
    """The one entry that holds; entries never overlap."""
    tier = "default" if record.is_batch else _TIERS.get(record.service_tier, record.service_tier)
    size = record.input_tokens or 0
    for entry in entries:
        if (
            (entry.service_tier, entry.is_batch) == (tier, record.is_batch)
            and entry.above_input_tokens < size
            and (entry.upto_input_tokens is None or size <= entry.upto_input_tokens)
            and entry.valid_from <= record.started_at
            and (entry.valid_to is None or record.started_at < entry.valid_to)
        ):
            return entry
    return None


def _states(record: Record, names: Sequence[str]) -> bool:
    return any(getattr(record, name) is not None for name in names)


def _is_measured(record: Record, prices: dict[str, Decimal]) -> bool:
    """Whether what was used has a price: one for minutes says nothing about tokens, a free model about pictures."""
    if "request" in prices:
        return True
    if prices.keys().isdisjoint(("input", "output", "audio_second")):
        return _states(record, _PRICEABLE)
    return (
        (record.input_tokens is not None and "input" in prices)
        or (record.output_tokens is not None and "output" in prices and "input" not in prices)
        or (record.audio_seconds is not None and "audio_second" in prices)
    )


def _is_impossible(record: Record, prices: dict[str, Decimal]) -> bool:
    if any((getattr(record, name) or 0) < 0 for name in _QUANTITIES):
        return True
    if _plain_input(record, prices) < 0 or _plain_output(record, prices) < 0:
        return True
    is_headless_input = record.input_tokens is None and _has_any(record, _INPUT_PARTS)
    is_headless_output = record.output_tokens is None and _has_any(record, _OUTPUT_PARTS)
    return ("input" in prices and is_headless_input) or ("output" in prices and is_headless_output)


def _has_any(record: Record, names: dict[str, str]) -> bool:
    return any((getattr(record, name) or 0) > 0 for name in names)


def _part(record: Record, name: str, price: str, prices: dict[str, Decimal]) -> int:
    """The tokens of a part that has its own price, else 0: then they stay in the parent."""
    if price not in prices:
        return 0
    tokens: int | None = getattr(record, name)
    if tokens is None and name == "output_image_tokens" and record.operation_name in _IMAGE_OPERATIONS:
        # An image made by an image endpoint is image output, whether or not the answer splits its total.
        tokens = record.output_tokens
    return tokens or 0


def _plain_input(record: Record, prices: dict[str, Decimal]) -> int:
    return (record.input_tokens or 0) - sum(_part(record, name, key, prices) for name, key in _INPUT_PARTS.items())


def _plain_output(record: Record, prices: dict[str, Decimal]) -> int:
    return (record.output_tokens or 0) - sum(_part(record, name, key, prices) for name, key in _OUTPUT_PARTS.items())


def _list_cost(record: Record, prices: dict[str, Decimal]) -> Decimal:
    tokens = {
        "input": _plain_input(record, prices),
        "output": _plain_output(record, prices),
        **{key: _part(record, name, key, prices) for name, key in (_INPUT_PARTS | _OUTPUT_PARTS).items()},
    }
    cost = sum((Decimal(count) * prices[key] for key, count in tokens.items() if key in prices), _NOTHING)
    if record.audio_seconds is not None and "audio_second" in prices:
        cost += (_to_milliseconds(record.audio_seconds) * prices["audio_second"]).quantize(_MONEY)
    return (cost + prices.get("request", _NOTHING)).quantize(_MONEY)


def _to_milliseconds(seconds: float) -> Decimal:
    """Seconds with three digits, rounded as DuckDB rounds a double: its product with 1000, half away from zero."""
    return Decimal(seconds * 1_000.0).quantize(Decimal(1)) / _MILLISECONDS
