"""The computation of list cost, in SQL: one expression a class, over a staged record `s` and its price entry `p`.

What a tool's own model used is priced by its entry `t`. Only `*`, `+` and `-` occur: in DuckDB a division of decimals
gives a binary float. Facts that no record of a load has are nulls in the text already: DuckDB then plans and computes
nothing for them.
"""

import functools
from typing import Final

from monitor.ledger.columns import MONEY, RECORD_COLUMNS
from monitor.ledger.token_costs import Stated, TokenSql, tokens
from monitor.ledger.unit_costs import UnitSql
from monitor.ledger.works import begins_work, is_unfinished

CLASSES: Final = (
    "list_input_cost",
    "list_cache_read_cost",
    "list_cache_creation_cost",
    "list_output_cost",
    "list_audio_cost",
    "list_image_cost",
    "list_tools_cost",
    "list_other_cost",
)
"""USD by class; their sum is `list_cost`."""

PRICING_STATES: Final = ("repeated", "unpriced", "impossible", "priced", "pending", "no_usage", "free")
"""priced: list_cost stands; unpriced: usage without a price for it; impossible: a quantity is negative, or the parts
exceed their total or come without one; no_usage: it must have cost something, nothing says how much; repeated: counted
by another request; pending: work has begun, what it used comes later; free: nothing to pay for, failed requests too."""

_IS_OF_IMAGES: Final = "s.operation_name in ('image_generation', 'image_edit', 'image_variation')"
_IS_PENDING: Final = f"""(
    s.usage_source = 'none' and s.outcome in ('completed', 'interrupted') and {is_unfinished("s")}
    and (s.is_billable or {begins_work("s")})
)"""
_TIER: Final = """
    case
        when s.is_batch then 'default'
        when s.service_tier is null or s.service_tier in ('auto', 'default', 'standard', 'scale') then 'default'
        when s.service_tier in ('priority', 'fast') then 'priority'
        else s.service_tier
    end
"""
"""The tier of the price list; one that the list does not know leaves the request unpriced."""


@functools.lru_cache(maxsize=64)
def priced_select(columns: tuple[str, ...], names: frozenset[str] | None = None) -> str:
    """SQL of the end lines of `stage` with state, costs and price id.

    Each expression stands once: the planning of a small batch takes longer than its computation.

    Args:
        columns: those of `stage` to take along, as SQL identifiers.
        names: the facts that records of `stage` have; None stands for all.
    """
    stated = Stated(frozenset(RECORD_COLUMNS) if names is None else names, "s.{}".format)
    has_tools = names is None or "tool_usage" in names
    token_sql, unit_sql = _priced_parts(stated, "t" if has_tools else "p")
    parts = ",\n".join(f"cast({sql} as {MONEY}) as {name}" for name, sql in _classes(token_sql, unit_sql).items())
    costs = {"list_cost": f"cast({' + '.join(CLASSES)} as {MONEY})", **{name: name for name in CLASSES}}
    shown = ",\n".join(f"case when pricing_state = 'priced' then {sql} end as {name}" for name, sql in costs.items())
    tool_entry = _entry("t", "n", "s.tool_model", "'default'", unit_sql.of_tool("input_tokens")) if has_tools else ""
    return f"""
        select {", ".join(columns)}, pricing_state, {shown}, sku_price_id
        from (
            select {", ".join(f"s.{column}" for column in columns)}, p.sku_price_id,
                {_state(stated, token_sql, unit_sql)} as pricing_state,
                {parts}
            from stage s {_entry("p", "m", "s.model", _TIER, stated("input_tokens"))} {tool_entry}
            where s.kind in ('end', 'corrected')
        )
    """


def _priced_parts(stated: Stated, tool_entry: str) -> tuple[TokenSql, UnitSql]:
    # A picture made by an image endpoint is image output, whether or not the answer splits its total: streams do not.
    pictures = stated("output_image_tokens")
    image_output = f"case when {_IS_OF_IMAGES} then coalesce({pictures}, {stated('output_tokens')}) else {pictures} end"
    token_sql = tokens(stated, "p", image_output=image_output)
    # An entry without any price is that of a free model; yet what tokens do not cover, such as characters, may cost.
    has_priced = f"(case when p.is_free then {_priceable(stated)} is not null else {token_sql.is_priced} end)"
    return token_sql, UnitSql(stated, has_priced, tool_entry)


def _priceable(stated: Stated) -> str:
    return f"coalesce({stated('input_tokens')}, {stated('output_tokens')}, {stated('audio_seconds')})"


def _classes(token_sql: TokenSql, unit_sql: UnitSql) -> dict[str, str]:
    cost = token_sql.costs
    output = f"{cost['output']} + {cost['reasoning']}"
    found = (
        f"{cost['input']} + coalesce(p.request, 0)",
        f"{cost['cache_read']} + {cost['cache_read_audio']} + {cost['cache_read_image']}",
        f"{cost['cache_creation']} + {cost['cache_creation_long']}",
        # What a decision puts out is not charged.
        f"case when s.operation_name = 'decision' then 0 else {output} end",
        f"{cost['input_audio']} + {cost['output_audio']} + {unit_sql.audio}",
        f"{cost['input_image']} + {cost['output_image']} + {unit_sql.image}",
        unit_sql.tools,
        unit_sql.other,
    )
    return dict(zip(CLASSES, found, strict=True))


def _state(stated: Stated, token_sql: TokenSql, unit_sql: UnitSql) -> str:
    """SQL of the pricing state, one of `PRICING_STATES`."""
    # A price for one unit says nothing about usage in another, such as tokens where only minutes have a price.
    is_measured = f"(p.request is not null or {unit_sql.has_priced_tokens} or {unit_sql.is_priced})"
    return f"""
        case
            when s.usage_source = 'repeated' then 'repeated'
            when s.usage_source in ('response', 'estimated', 'imported')
                and ({_priceable(stated)} is not null or {unit_sql.is_stated})
            then case
                when p.sku_price_id is null then 'unpriced'
                when {token_sql.is_impossible} or {unit_sql.is_impossible} then 'impossible'
                when not {is_measured} or {unit_sql.lacks_a_price} then 'unpriced'
                else 'priced'
            end
            when {_IS_PENDING} then 'pending'
            when s.is_billable and s.outcome in ('completed', 'interrupted', 'unknown')
                and s.answer_status is distinct from 'failed' then 'no_usage'
            else 'free'
        end
    """


def _entry(entry: str, match: str, model: str, tier: str, size: str) -> str:
    """SQL of the join with an entry. Entries never overlap, so each staged record meets at most one."""
    return f"""
        left join price_matches {match} on {match}.provider_name = s.provider_name and {match}.model = {model}
        left join prices {entry}
            on {entry}.is_current
            and {entry}.price_key = {match}.price_key
            and {entry}.service_tier = {tier}
            and {entry}.is_batch = s.is_batch
            and s.started_at >= {entry}.valid_from
            and ({entry}.valid_to is null or s.started_at < {entry}.valid_to)
            and coalesce({size}, 0) > {entry}.above_input_tokens
            and ({entry}.upto_input_tokens is null or coalesce({size}, 0) <= {entry}.upto_input_tokens)
    """
