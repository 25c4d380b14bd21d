"""The list cost of one record, in Python: what `ledger/costs.py` says in SQL, to the last digit. Pure.

A test holds the two together.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Final

from monitor.pricing.charges import costs_of, has_priced_tokens, token_costs, window_factor, with_factors
from monitor.pricing.entries import PriceEntry, entry_at
from monitor.pricing.figures import CLASSES, EXACT, Priced
from monitor.pricing.quantities import TOKENS, Usage, is_impossible, usage_of
from monitor.pricing.works import BEGINNINGS
from monitor.records import REDIRECTS, UNFINISHED, UNREADABLE, Record

_NOTHING: Final = Decimal(0)
_TOTALS: Final = (
    "input_tokens",
    "output_tokens",
    "audio_seconds",
    "trained_tokens",
    "video_seconds",
    "input_characters",
    "image_count",
)
"""A record that states none of them, nor calls of tools, says nothing of what it used."""

_COUNTING_SOURCES: Final = frozenset({"response", "estimated", "imported"})
_OUTCOMES_THAT_COST: Final = frozenset({"completed", "interrupted", "unknown"})
_DECISION: Final = "decision"
_SAID: Final = ("output", "reasoning")
"""The operation whose output is free, and the units of it."""

_TIERS: Final = {
    None: "default",
    "auto": "default",
    "standard": "default",
    "scale": "default",
    "fast": "priority",
}


def price(
    record: Record,
    entries: Sequence[PriceEntry],
    tool_entries: Sequence[PriceEntry] = (),
    sessions: Mapping[str, int] | None = None,
) -> Priced:
    """The list cost of a record.

    Args:
        record: what was used.
        entries: those of its model.
        tool_entries: those of its `tool_model`, at the same provider.
        sessions: by memory, how many sessions of containers it began; None where it used none that count.
    """
    if record.usage_source == "repeated":
        return Priced(state="repeated")
    is_called = record.tool_calls is not None or sessions is not None
    is_stated = is_called or any(getattr(record, name) is not None for name in _TOTALS)
    if record.usage_source not in _COUNTING_SOURCES or not is_stated:
        return Priced(state=_state_without_usage(record))
    with localcontext(EXACT):
        return _priced(record, entries, tool_entries, sessions or {})


def _priced(
    record: Record,
    entries: Sequence[PriceEntry],
    tool_entries: Sequence[PriceEntry],
    sessions: Mapping[str, int],
) -> Priced:
    usage = usage_of(record)
    # A negative size is in the bounds of no entry.
    if _is_negative(record, usage):
        return Priced(state="impossible")
    tier = "default" if record.is_batch else _TIERS.get(record.service_tier, record.service_tier)
    entry = _entry_of(record, entries, tier, record.input_tokens)
    if entry is None:
        return Priced(state="unpriced")
    if is_impossible(usage, entry.unit_prices):
        return Priced(state="impossible")
    tool = _of_tool(record, tool_entries)
    if tool.list_cost is None:
        return tool
    factor = window_factor(record, entry.unit_prices)
    costs = None if factor is None else costs_of(record, usage, _prices_of(record, entry, factor), sessions)
    if costs is None:
        return Priced(state="unpriced")
    costs["tools"] = costs.get("tools", _NOTHING) + tool.list_cost
    classes = {name: costs.get(name, _NOTHING) for name in CLASSES}
    total = sum(classes.values(), _NOTHING)
    return Priced(
        state="priced",
        list_cost=total,
        sku_price_id=entry.sku_price_id,
        tool_sku_price_id=tool.sku_price_id,
        classes=classes,
    )


def _state_without_usage(record: Record) -> str:
    if _is_pending(record):
        return "pending"
    has_worked = record.answer_status != "failed" and record.status not in REDIRECTS
    has_come = record.outcome in _OUTCOMES_THAT_COST or record.error_class == UNREADABLE
    is_owed = record.is_billable and has_come and has_worked
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


def _entry_of(
    record: Record, entries: Sequence[PriceEntry], tier: str | None, input_tokens: int | None
) -> PriceEntry | None:
    return entry_at(entries, record.started_at, tier=tier, is_batch=record.is_batch, input_tokens=input_tokens or 0)


def _prices_of(record: Record, entry: PriceEntry, factor: Decimal) -> Mapping[str, Decimal]:
    """Those of the entry; what a decision says is free."""
    prices = with_factors(entry.unit_prices, record.region, factor=factor)
    if record.operation_name != _DECISION:
        return prices
    return {unit: _NOTHING if unit in _SAID else price for unit, price in prices.items()}


def _is_negative(record: Record, usage: Usage) -> bool:
    counts = [*(getattr(record, name) for name in _TOTALS), *usage.values()]
    return any(count is not None and count < 0 for count in counts)


def _of_tool(record: Record, entries: Sequence[PriceEntry]) -> Priced:
    """The cost of what a model used that worked as a tool, at standard prices, or those of a batch in one."""
    usage: Usage = {name: count for name, count in (record.tool_usage or {}).items() if name in TOKENS}
    if not any(count is not None and count > 0 for count in usage.values()):
        return Priced(state="priced", list_cost=_NOTHING)
    entry = _entry_of(record, entries, "default", usage.get("input_tokens"))
    if entry is None:
        return Priced(state="unpriced")
    if is_impossible(usage, entry.unit_prices):
        return Priced(state="impossible")
    if not has_priced_tokens(usage, entry.unit_prices):
        return Priced(state="unpriced")
    total = sum(token_costs(usage, with_factors(entry.unit_prices, record.region)).values(), _NOTHING)
    return Priced(state="priced", list_cost=total, sku_price_id=entry.sku_price_id)
