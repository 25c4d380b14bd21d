"""The computation of list cost, in SQL: one expression a class, over a staged record `s` and its price entry `p`.

What a tool's own model used is priced by its entry `t`. Only `*`, `+` and `-` occur: in DuckDB a division of decimals
gives a binary float. Facts that no record of a load has are nulls in the text already: DuckDB then plans and computes
nothing for them.
"""

import functools
from typing import Final

from monitor.ledger.columns import COMPUTED_FACTS, CONTRACTED_COLUMNS, COST_COLUMNS, MONEY, RECORD_COLUMNS
from monitor.ledger.contracted import CONTRACTED_COST, FACTORS, discount_join, with_contracted
from monitor.ledger.price_tables import LEDGER, PriceTables
from monitor.ledger.token_costs import TOKEN_COUNTS, Stated, TokenSql, in_window, regional, tokens
from monitor.ledger.unit_costs import QUANTITIES, UnitSql
from monitor.ledger.works import begins_work, is_unfinished
from monitor.pricing.sessions import CONTAINER, CREATION
from monitor.records import REDIRECTS, UNREADABLE

CLASSES: Final = COST_COLUMNS[1:]
"""USD by class; their sum is `list_cost`."""

PRICING_STATES: Final = ("repeated", "unpriced", "impossible", "priced", "pending", "no_usage", "free")
"""priced: list_cost stands; unpriced: usage without a price for it; impossible: a quantity is negative, or the parts
exceed their total or come without one; no_usage: it must have cost something, nothing says how much; repeated: counted
by another request; pending: work has begun, what it used comes later; free: nothing to pay for, failed requests too."""

_EVERY_FACT: Final = frozenset({**RECORD_COLUMNS, **COMPUTED_FACTS})
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


def cost_columns(names: frozenset[str] | None = None, *, has_discounts: bool = True) -> tuple[str, ...]:
    """What `priced_select` computes, beside the columns that it takes along."""
    tool = ("tool_sku_price_id",) if _has_tools(names) else ()
    contracted = (*CONTRACTED_COLUMNS, "discount_id") if has_discounts else ()
    return ("pricing_state", *COST_COLUMNS, "sku_price_id", *tool, *contracted)


@functools.lru_cache(maxsize=64)
def priced_select(
    columns: tuple[str, ...],
    names: frozenset[str] | None = None,
    *,
    has_discounts: bool = True,
    tables: PriceTables = LEDGER,
    source: str = "stage",
) -> str:
    """SQL of the end lines of `stage` with state, costs and the ids of prices and discount.

    Each expression stands once: the planning of a small batch takes longer than its computation.

    Args:
        columns: those of the source to take along, as SQL identifiers.
        names: the facts that records of the source have, computed ones too; None stands for all.
        has_discounts: whether anybody has one.
        tables: where prices are looked up.
        source: SQL of rows like those of `stage`.
    """
    stated = Stated(_EVERY_FACT if names is None else names, "s.{}".format)
    has_tools = _has_tools(names)
    token_sql, unit_sql = _priced_parts(stated, "t" if has_tools else "p")
    parts = ",\n".join(f"cast({sql} as {MONEY}) as {name}" for name, sql in _classes(token_sql, unit_sql).items())
    entry = _entry("p", "m", _model(stated), _TIER, stated("input_tokens"), tables=tables)
    ids = ["p.sku_price_id"]
    if has_tools:
        entry += _entry("t", "n", "s.tool_model", "'default'", unit_sql.of_tool("input_tokens"), tables=tables)
        ids.append(f"{unit_sql.tool_price_id} as tool_sku_price_id")
    if has_discounts:
        entry += discount_join(tables.discount_matches, tables.discount_factors)
        ids += ["d.discount_id", FACTORS]
    priced = f"""(
        select {", ".join(f"s.{column}" for column in columns)}, {", ".join(ids)},
            {_state(stated, token_sql, unit_sql)} as pricing_state,
            {parts}
        from {source} s {entry}
        where s.kind in ('end', 'corrected')
    )"""
    shown = ", ".join(_shown(name) for name in cost_columns(names, has_discounts=has_discounts))
    return f"select {', '.join(columns)}, {shown} from {with_contracted(priced) if has_discounts else priced}"


def _has_tools(names: frozenset[str] | None) -> bool:
    return names is None or "tool_usage" in names


_SUMS: Final = {"list_cost": f"cast({' + '.join(CLASSES)} as {MONEY})", "contracted_cost": CONTRACTED_COST}
_ALWAYS_SHOWN: Final = ("pricing_state", "sku_price_id", "tool_sku_price_id")


def _shown(name: str) -> str:
    if name in _ALWAYS_SHOWN:
        return name
    return f"case when pricing_state = 'priced' then {_SUMS.get(name, name)} end as {name}"


def _model(stated: Stated) -> str:
    """SQL of what is looked up; a container that is made by itself names no model."""
    made = f"case when s.operation_name = '{CREATION}' then '{CONTAINER}' end"
    return f"coalesce(s.model, {made})" if "container_sessions" in stated.names else "s.model"


def _priced_parts(stated: Stated, tool_entry: str) -> tuple[TokenSql, UnitSql]:
    # A picture made by an image endpoint is image output, whether or not the answer splits its total: streams do not.
    pictures = stated("output_image_tokens")
    image_output = f"case when {_IS_OF_IMAGES} then coalesce({pictures}, {stated('output_tokens')}) else {pictures} end"
    token_sql = tokens(stated, "p", image_output=image_output, factor=_factor(stated))
    # An entry without any price is that of a free model; yet what tokens do not cover, such as characters, may cost.
    has_priced = f"(case when p.is_free then {_priceable(stated)} is not null else {token_sql.is_priced} end)"
    return token_sql, UnitSql(stated, has_priced, tool_entry)


def _factor(stated: Stated) -> str | None:
    factors = [factor for factor in (regional(stated, "p"), in_window(stated, "p")) if factor is not None]
    return " * ".join(factors) or None


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
    window = in_window(stated, "p")
    lacks_a_factor = "false" if window is None else f"{window} is null"
    return f"""
        case
            when s.usage_source = 'repeated' then 'repeated'
            when s.usage_source in ('response', 'estimated', 'imported')
                and ({_priceable(stated)} is not null or {unit_sql.is_stated})
            then case
                -- A negative size is in the bounds of no entry.
                when {_is_negative(stated)} then 'impossible'
                when p.sku_price_id is null then 'unpriced'
                when {token_sql.is_impossible} or {unit_sql.is_impossible} then 'impossible'
                when not {is_measured} or {unit_sql.lacks_a_price} or {lacks_a_factor} then 'unpriced'
                else 'priced'
            end
            when {_IS_PENDING} then 'pending'
            when s.is_billable
                and (s.outcome in ('completed', 'interrupted', 'unknown') or {stated("error_class")} = '{UNREADABLE}')
                and s.answer_status is distinct from 'failed'
                and coalesce(s.status not between {REDIRECTS.start} and {REDIRECTS.stop - 1}, true) then 'no_usage'
            else 'free'
        end
    """


def _is_negative(stated: Stated) -> str:
    counts = [stated(name) for name in (*TOKEN_COUNTS, *QUANTITIES) if name in stated.names]
    return f"least({', '.join(counts)}) < 0" if counts else "false"


_LARGEST: Final = 2**63 - 1


def _entry(entry: str, match: str, model: str, tier: str, size: str, *, tables: PriceTables) -> str:
    """SQL of the join with an entry. Entries never overlap, so each staged record meets at most one."""
    # Only comparisons of one side with the other: an `or` would make DuckDB try each pair of rows.
    return f"""
        left join {tables.price_matches} {match} on {match}.provider_name = s.provider_name and {match}.model = {model}
        left join (from {tables.prices} where is_current) {entry}
            on {entry}.price_key = {match}.price_key
            and {entry}.service_tier = {tier}
            and {entry}.is_batch = s.is_batch
            and s.started_at >= {entry}.valid_from
            and s.started_at < coalesce({entry}.valid_to, timestamp 'infinity')
            and coalesce({size}, 0) > {entry}.above_input_tokens
            and coalesce({size}, 0) <= coalesce({entry}.upto_input_tokens, {_LARGEST})
    """
