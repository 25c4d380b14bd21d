"""What the quantities of a record cost at the prices of an entry, by class. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from monitor.pricing.quantities import Usage, tokens_of
from monitor.pricing.units import (
    FACTOR_QUANTUM,
    REGIONAL,
    TOKEN_UNITS,
    WINDOWS_OF,
    container_unit,
    image_units,
    is_free,
    tool_unit,
    video_units,
    window_unit,
)
from monitor.records import Record

Prices = Mapping[str, Decimal]

_MONEY: Final = Decimal("1E-18")
_MILLISECONDS: Final = Decimal(1_000)
_NOTHING: Final = Decimal(0)
_ONCE: Final = Decimal(1)
_NO_SESSIONS: Final[Mapping[str, int]] = {}
_CLASSES: Final = {
    "input": "input",
    "request": "input",
    "cache_read": "cache_read",
    "cache_read_audio": "cache_read",
    "cache_read_image": "cache_read",
    "cache_creation": "cache_creation",
    "cache_creation_long": "cache_creation",
    "output": "output",
    "reasoning": "output",
    "input_audio": "audio",
    "output_audio": "audio",
    "input_image": "image",
    "output_image": "image",
}
"""The class of what each unit costs."""


@dataclass(frozen=True, slots=True)
class _Work:
    """A quantity that is not counted in tokens.

    Attributes:
        units: what it can be, the most exact first.
        is_beside_tokens: it is paid though tokens are paid too; else tokens that have a price pay for it.
        is_told_by_tokens: where it has no price, tokens that have one stand for it.
    """

    amount: Decimal
    units: tuple[str, ...]
    cost_class: str
    is_beside_tokens: bool = False
    is_told_by_tokens: bool = True


def costs_of(
    record: Record, usage: Usage, prices: Prices, sessions: Mapping[str, int] = _NO_SESSIONS
) -> dict[str, Decimal] | None:
    """USD by class; None where something that was used has no price, or nothing that has one was stated."""
    are_tokens_priced = has_priced_tokens(usage, prices, record.audio_seconds)
    costs = token_costs(usage, prices)
    is_measured = are_tokens_priced or "request" in prices
    if "request" in prices:
        _add(costs, "input", prices["request"])
    for work in _works(record):
        unit = next((unit for unit in work.units if unit in prices), None)
        if unit is None and work.amount and not (are_tokens_priced and work.is_told_by_tokens):
            return None
        if unit is not None and (work.is_beside_tokens or not are_tokens_priced):
            is_measured = True
            _add(costs, work.cost_class, work.amount * prices[unit])
    fees = {tool_unit(name): count for name, count in (record.tool_calls or {}).items()}
    fees |= {container_unit(memory): count for memory, count in sessions.items()}
    for unit, count in fees.items():
        if count < 0 or (count and unit not in prices):
            return None
        _add(costs, "tools", count * prices.get(unit, _NOTHING))
    return costs if is_measured else None


def window_factor(record: Record, prices: Prices) -> Decimal | None:
    """How many times their price tokens cost in the completion window of the record; None where that is not known."""
    if record.completion_window is None:
        return _ONCE
    factor = prices.get(window_unit(record.completion_window))
    if factor is not None:
        return factor.quantize(FACTOR_QUANTUM)
    return None if record.provider_name == WINDOWS_OF else _ONCE


def with_factors(prices: Prices, region: str | None, *, factor: Decimal = _ONCE) -> Prices:
    """The same with those of tokens so many times as dear: `factor`, and what processing in the region adds.

    A region of None is no region.
    """
    if region is not None and REGIONAL in prices:
        factor *= prices[REGIONAL].quantize(FACTOR_QUANTUM)
    if factor == _ONCE:
        return prices
    return {unit: (price * factor).quantize(_MONEY) if unit in TOKEN_UNITS else price for unit, price in prices.items()}


def token_costs(usage: Usage, prices: Prices) -> dict[str, Decimal]:
    """USD by class, of tokens alone."""
    costs: dict[str, Decimal] = {}
    for unit, count in tokens_of(usage, prices).items():
        if unit in prices:
            _add(costs, _CLASSES[unit], count * prices[unit])
    return costs


def has_priced_tokens(usage: Usage, prices: Prices, audio_seconds: float | None = None) -> bool:
    """Whether tokens tell the cost: the input's, else the output's; of free work the seconds tell it as well."""
    has_input, has_output = usage.get("input_tokens") is not None, usage.get("output_tokens") is not None
    if is_free(prices):
        return has_input or has_output or audio_seconds is not None
    return has_input if "input" in prices else has_output and "output" in prices


def _works(record: Record) -> Iterator[_Work]:
    if record.audio_seconds is not None:
        yield _Work(_to_milliseconds(record.audio_seconds), ("audio_second",), "audio", is_beside_tokens=True)
    if record.input_characters is not None:
        yield _Work(Decimal(record.input_characters), ("character",), "audio")
    if record.image_count is not None:
        yield _Work(Decimal(record.image_count), image_units(record.media_quality, record.media_size), "image")
    if record.video_seconds is not None:
        yield _Work(_to_milliseconds(record.video_seconds), video_units(record.media_size), "other")
    if record.trained_tokens is not None:
        trained = Decimal(record.trained_tokens)
        yield _Work(trained, ("trained",), "other", is_beside_tokens=True, is_told_by_tokens=False)


def _add(costs: dict[str, Decimal], cost_class: str, usd: Decimal) -> None:
    costs[cost_class] = costs.get(cost_class, _NOTHING) + usd.quantize(_MONEY)


def _to_milliseconds(seconds: float) -> Decimal:
    """Seconds with three digits, rounded as DuckDB rounds a double: its product with 1000, half away from zero."""
    return Decimal(seconds * 1_000.0).quantize(Decimal(1)) / _MILLISECONDS
