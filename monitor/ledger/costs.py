"""The computation of list cost, in SQL: one expression a class, over a staged record `s` and its price entry `p`.

A detail is a part of its total, never an addition. A part that has no price of its own pays its parent's price. So
the plain input is the total without the parts that have one, as genai-prices decomposes it. Only `*`, `+` and `-`
occur: in DuckDB a division of decimals gives a binary float.
"""

from collections.abc import Sequence
from typing import Final

from monitor.ledger.columns import MONEY
from monitor.ledger.works import begins_work, is_unfinished

_COUNT: Final = "decimal(18, 0)"


def _part(tokens: str, price: str) -> str:
    """The tokens of a part that has its own price, else 0: then they stay in the parent."""
    return f"(case when p.{price} is not null then coalesce(s.{tokens}, 0) else 0 end)"


def _cost(quantity: str, price: str) -> str:
    return f"coalesce(cast({quantity} as {_COUNT}) * p.{price}, 0)"


_CACHE_READ: Final = _part("cache_read_input_tokens", "cache_read")
_CACHE_CREATION: Final = _part("cache_creation_input_tokens", "cache_creation")
_INPUT_AUDIO: Final = _part("input_audio_tokens", "input_audio")
_INPUT_IMAGE: Final = _part("input_image_tokens", "input_image")
_REASONING: Final = _part("reasoning_output_tokens", "reasoning")
_OUTPUT_AUDIO: Final = _part("output_audio_tokens", "output_audio")
# An image made by an image endpoint is image output, whether or not the answer splits its total: streams do not.
_OUTPUT_IMAGE: Final = """(
    case
        when p.output_image is null then 0
        when s.operation_name in ('image_generation', 'image_edit', 'image_variation')
        then coalesce(s.output_image_tokens, s.output_tokens, 0)
        else coalesce(s.output_image_tokens, 0)
    end
)"""

PLAIN_INPUT: Final = (
    f"(coalesce(s.input_tokens, 0) - {_CACHE_READ} - {_CACHE_CREATION} - {_INPUT_AUDIO} - {_INPUT_IMAGE})"
)
PLAIN_OUTPUT: Final = f"(coalesce(s.output_tokens, 0) - {_REASONING} - {_OUTPUT_AUDIO} - {_OUTPUT_IMAGE})"

CLASSES: Final = {
    "list_input_cost": f"{_cost(PLAIN_INPUT, 'input')} + coalesce(p.request, 0)",
    "list_cache_read_cost": _cost(_CACHE_READ, "cache_read"),
    "list_cache_creation_cost": _cost(_CACHE_CREATION, "cache_creation"),
    "list_output_cost": f"{_cost(PLAIN_OUTPUT, 'output')} + {_cost(_REASONING, 'reasoning')}",
    "list_audio_cost": (
        f"{_cost(_INPUT_AUDIO, 'input_audio')} + {_cost(_OUTPUT_AUDIO, 'output_audio')}"
        " + coalesce(cast(s.audio_seconds as decimal(12, 3)) * p.audio_second, 0)"
    ),
    "list_image_cost": f"{_cost(_INPUT_IMAGE, 'input_image')} + {_cost(_OUTPUT_IMAGE, 'output_image')}",
}
"""USD by class; their sum is `list_cost`."""

_INPUT_PARTS: Final = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "input_audio_tokens",
    "input_image_tokens",
)
_OUTPUT_PARTS: Final = ("reasoning_output_tokens", "output_audio_tokens", "output_image_tokens")
_QUANTITIES: Final = ("input_tokens", "output_tokens", *_INPUT_PARTS, *_OUTPUT_PARTS, "audio_seconds")


def _greatest(names: tuple[str, ...]) -> str:
    return f"coalesce(greatest({', '.join(f's.{name}' for name in names)}), 0)"


_PRICEABLE: Final = "coalesce(s.input_tokens, s.output_tokens, s.audio_seconds)"
_COUNTS: Final = f"""(
    s.usage_source in ('response', 'estimated', 'imported')
    and coalesce(
        {_PRICEABLE}, s.trained_tokens, s.video_seconds, s.input_characters, s.image_count
    ) is not null
)"""
# A price for one unit says nothing about usage in another, such as tokens where only minutes have a price. An entry
# without any is that of a free model; yet what entries cannot price at all, such as characters, may still cost.
_IS_MEASURED: Final = f"""(
    (s.input_tokens is not null and p.input is not null)
    or (s.output_tokens is not null and p.output is not null and p.input is null)
    or (s.audio_seconds is not null and p.audio_second is not null)
    or p.request is not null
    or (coalesce(p.input, p.output, p.audio_second) is null and {_PRICEABLE} is not null)
)"""
_IS_PENDING: Final = f"""(
    s.usage_source = 'none' and s.outcome in ('completed', 'interrupted') and {is_unfinished("s")}
    and (s.is_billable or {begins_work("s")})
)"""
_IS_IMPOSSIBLE: Final = f"""(
    {PLAIN_INPUT} < 0
    or {PLAIN_OUTPUT} < 0
    or least({", ".join(f"s.{name}" for name in _QUANTITIES)}) < 0
    or (p.input is not null and s.input_tokens is null and {_greatest(_INPUT_PARTS)} > 0)
    or (p.output is not null and s.output_tokens is null and {_greatest(_OUTPUT_PARTS)} > 0)
)"""

PRICING_STATE: Final = f"""
    case
        when s.usage_source = 'repeated' then 'repeated'
        when {_COUNTS} and p.sku_price_id is null then 'unpriced'
        when {_COUNTS} and {_IS_IMPOSSIBLE} then 'impossible'
        when {_COUNTS} and not {_IS_MEASURED} then 'unpriced'
        when {_COUNTS} then 'priced'
        when {_IS_PENDING} then 'pending'
        when s.is_billable and s.outcome in ('completed', 'interrupted', 'unknown')
            and s.answer_status is distinct from 'failed' then 'no_usage'
        else 'free'
    end
"""
"""priced: list_cost stands; unpriced: usage without a price for it; impossible: a quantity is negative, or the parts
exceed their total or come without one; no_usage: it must have cost something, nothing says how much; repeated: counted
by another request; pending: work has begun, what it used comes later; free: nothing to pay for, failed requests too."""

TIER: Final = """
    case
        when s.is_batch then 'default'
        when s.service_tier is null or s.service_tier in ('auto', 'default', 'standard', 'scale') then 'default'
        when s.service_tier in ('priority', 'fast') then 'priority'
        else s.service_tier
    end
"""
"""The tier of the price list; one that the list does not know (ultrafast) leaves the request unpriced."""

JOIN: Final = f"""
    left join price_matches m on m.provider_name = s.provider_name and m.model = s.model
    left join prices p
        on p.is_current
        and p.price_key = m.price_key
        and p.service_tier = {TIER}
        and p.is_batch = s.is_batch
        and s.started_at >= p.valid_from
        and (p.valid_to is null or s.started_at < p.valid_to)
        and coalesce(s.input_tokens, 0) > p.above_input_tokens
        and (p.upto_input_tokens is null or coalesce(s.input_tokens, 0) <= p.upto_input_tokens)
"""
"""Entries never overlap, so each staged record meets at most one."""


def priced_select(columns: Sequence[str]) -> str:
    """SQL of the end lines of `stage` with state, costs and price id.

    Each expression stands once: the planning of a small batch takes longer than its computation.

    Args:
        columns: those of `stage` to take along, as SQL identifiers.
    """
    parts = ",\n".join(f"cast({expression} as {MONEY}) as {name}" for name, expression in CLASSES.items())
    costs = {"list_cost": f"cast({' + '.join(CLASSES)} as {MONEY})", **{name: name for name in CLASSES}}
    shown = ",\n".join(f"case when pricing_state = 'priced' then {sql} end as {name}" for name, sql in costs.items())
    taken = ", ".join(columns)
    return f"""
        select {taken}, pricing_state, {shown}, sku_price_id
        from (
            select {", ".join(f"s.{column}" for column in columns)}, p.sku_price_id,
                {PRICING_STATE} as pricing_state,
                {parts}
            from stage s {JOIN}
            where s.kind in ('end', 'corrected')
        )
    """
