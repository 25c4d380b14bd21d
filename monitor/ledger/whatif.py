"""What-if: what stored requests would have cost under other models, tiers, cache rates, prices or discounts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import duckdb

from monitor.budgets.pace import change
from monitor.ledger.asides import COSTLY, make_asides, models_in, priced_aside, set_prices_aside
from monitor.ledger.columns import MONEY
from monitor.ledger.ledger import Ledger, named_rows, transaction
from monitor.ledger.retention import single_from
from monitor.ledger.scopes import Slice, Where, dimension_column, naive, where
from monitor.pricing.book import PriceBook
from monitor.pricing.scenario import Model, Scenario, models_then, require_scenario, unmet

_MILLION: Final = 1_000_000
_WHY: Final[Mapping[str, str]] = {
    "unpriced": "its tier, or something that was used, has no price",
    "impossible": "what it says of its usage contradicts itself",
    "no_usage": "nothing says what it used",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What some requests cost, and would have cost, in USD; None where none of them can be compared.

    Attributes:
        value: of the dimension; None in the total, and where requests have none.
        requests: those that cost something, or should.
        compared_requests: of them, those whose cost is known in both cases: the two costs are theirs.
        list_cost: now, at list prices.
        list_cost_then: under the scenario.
        left_out_list_cost: now, of those that could not be costed then.
    """

    value: str | None
    requests: int
    compared_requests: int
    list_cost: Decimal | None
    list_cost_then: Decimal | None
    left_out_list_cost: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """How much more it would have been; None where nothing can be compared."""
        if self.list_cost is None or self.list_cost_then is None:
            return None
        return self.list_cost_then - self.list_cost

    @property
    def share(self) -> Decimal | None:
        """The difference as a part of the cost now; None where that is nothing."""
        if self.list_cost is None or self.list_cost_then is None:
            return None
        return change(self.list_cost_then, self.list_cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Requests that could not be costed, `now` or only `then`: of which model that is or would be, and why.

    `list_cost` is what they cost now, where that is known.
    """

    when: str
    provider_name: str
    model: str | None
    state: str
    why: str
    requests: int
    list_cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What a scenario comes to.

    Attributes:
        total: of all requests of the slice.
        rows: by the dimension, the dearest first.
        left_out: what could not be costed in either case.
        unmet: models of the scenario that no request of the slice went to.
        assumptions: what was assumed, in one sentence.
        kept_from: requests before are not kept one by one and not in it; None where the slice has none.
    """

    total: Compared
    rows: tuple[Compared, ...]
    left_out: tuple[LeftOut, ...]
    unmet: tuple[str, ...]
    assumptions: str
    kept_from: datetime | None


def what_if(ledger: Ledger, book: PriceBook, span: Slice, scenario: Scenario, *, by: str = "model") -> WhatIf:
    """Cost the requests of a slice again; those that the scenario does not touch cost what they cost.

    Args:
        ledger: the ledger; nothing is written.
        book: the present prices.
        span: which requests.
        scenario: what would be other.
        by: the dimension to split by.

    Raises:
        PricingError: something in the scenario cannot be.
        LedgerError: there is no such dimension.
    """
    require_scenario(scenario)
    dimension = dimension_column(by)
    then = book if scenario.own is None else book.with_own(scenario.own)
    with ledger.cursor() as cursor, transaction(cursor):
        known = models_in(cursor, _stored(span))
        moves = models_then(scenario, then, known)
        _keep_moves(cursor, moves)
        chosen = _chosen(span, scenario, dimension)
        make_asides(cursor)
        set_prices_aside(cursor, then, models_in(cursor, chosen), naive(ledger.clock()))
        rows = _rows(cursor, scenario, chosen)
        kept_from = single_from(cursor, span)
    levels = {level: [row for row in rows if row["level"] == level] for level in (_ALL, _BY_VALUE, _BY_REASON)}
    return WhatIf(
        total=replace(_compared(levels[_ALL][0]), value=None),
        rows=tuple(map(_compared, levels[_BY_VALUE])),
        left_out=tuple(_left_out(row, book, then) for row in levels[_BY_REASON]),
        unmet=unmet(scenario, then, known),
        assumptions=scenario.assumptions,
        kept_from=kept_from,
    )


def _stored(span: Slice) -> Where:
    scope = where(span.conditions)
    return Where(
        sql=f"(select * from requests where started_at >= ? and started_at < ? and {COSTLY} and {scope.sql})",
        values=[naive(span.start), naive(span.end), *scope.values],
    )


def _keep_moves(cursor: duckdb.DuckDBPyConnection, moves: Mapping[Model, Model]) -> None:
    cursor.execute(
        "create or replace temp table moves as select unnest(?::varchar[]) as provider_name, unnest(?::varchar[])"
        " as model, unnest(?::varchar[]) as then_provider_name, unnest(?::varchar[]) as then_model",
        [[pair[part] for pair in side] for side in (moves.keys(), moves.values()) for part in (0, 1)],
    )


def _chosen(span: Slice, scenario: Scenario, dimension: str) -> Where:
    """The requests as they would have been, with what they are split by and what they cost."""
    stored = _stored(span)
    replaced = {
        "provider_name": "coalesce(m.then_provider_name, r.provider_name)",
        "model": "coalesce(m.then_model, r.model)",
        **_tier(scenario.tier),
        **_cached(scenario.cache_rate),
    }
    is_touched = "true" if scenario.is_about_all else "m.then_model is not null"
    return Where(
        sql=f"""(
            select r.* replace ({", ".join(f"{sql} as {name}" for name, sql in replaced.items())}),
                r.{dimension} as value, r.provider_name as provider_now, r.model as model_now,
                r.pricing_state as state_now, r.list_cost as cost_now, {is_touched} as is_touched
            from {stored.sql} r left join moves m on m.provider_name = r.provider_name and m.model = r.model
        )""",
        values=stored.values,
    )


def _tier(tier: str | None) -> dict[str, str]:
    if tier is None:
        return {}
    return {"is_batch": "true"} if tier == "batch" else {"is_batch": "false", "service_tier": f"'{tier}'"}


def _cached(rate: Decimal | None) -> dict[str, str]:
    """The part of the prompt that is read from the cache, rounded half up; what is another part stays so."""
    if rate is None:
        return {}
    part = {name: f"coalesce(r.{name}_tokens, 0)" for name in _OTHER_PARTS}
    least = f"({part['cache_read_audio']} + {part['cache_read_image']})"
    most = (
        f"(r.input_tokens - {part['cache_creation_input']} - {part['input_audio']} - {part['input_image']} + {least})"
    )
    wanted = f"(r.input_tokens::hugeint * {int(rate * _MILLION)} + {_MILLION // 2}) // {_MILLION}"
    return {
        "cache_read_input_tokens": f"""
            case when r.input_tokens is null or {most} < {least} then r.cache_read_input_tokens
            else greatest({least}, least({most}, {wanted}))::bigint end
        """
    }


_OTHER_PARTS: Final = ("cache_creation_input", "input_audio", "input_image", "cache_read_audio", "cache_read_image")
_REASON: Final = ("left_out", "state", "provider_name", "model")
_ALL: Final = 31
_BY_VALUE: Final = 15
_BY_REASON: Final = 16
"""What `grouping` says of a row: a bit for each key that it is not grouped by."""


_TAKEN: Final = (
    *("value", "cost_now", "is_touched", "state_now", "provider_now", "model_now", "provider_name", "model"),
)
_COSTED: Final = """
    select * exclude (pricing_state), case when is_touched then pricing_state else state_now end as state_then,
        case when is_touched then list_cost else cost_now end as cost
"""
_NAMED: Final = """
    select value, cost_now, {paid} as cost_then,
        case when state_now <> 'priced' then 'now' when state_then <> 'priced' then 'then' end as left_out,
        case left_out when 'now' then state_now when 'then' then state_then end as state,
        case left_out when 'now' then provider_now when 'then' then provider_name end as provider_name,
        case left_out when 'now' then model_now when 'then' then model end as model
    from costed
"""


def _rows(cursor: duckdb.DuckDBPyConnection, scenario: Scenario, chosen: Where) -> list[dict[str, Any]]:
    keys = f"value, {', '.join(_REASON)}"
    paid = "cost" if scenario.factor == 1 else f"cast(cost * cast(? as decimal(10, 6)) as {MONEY})"
    costed = f"{_COSTED} from ({priced_aside(_TAKEN, chosen.sql, has_discounts=False)})"
    cursor.execute(
        f"""
        with costed as ({costed}), named as ({_NAMED.format(paid=paid)})
        from (
            select grouping({keys}) as level, {keys}, count(*) as requests,
                count(*) filter (left_out is null) as compared_requests,
                sum(cost_now) filter (left_out is null) as list_cost,
                sum(cost_then) filter (left_out is null) as list_cost_then,
                sum(cost_now) filter (left_out = 'then') as left_out_list_cost
            from named
            group by grouping sets ((), (value), ({", ".join(_REASON)}))
        )
        where level <> {_BY_REASON} or left_out is not null
        order by coalesce(list_cost, left_out_list_cost) desc nulls last, requests desc, {keys}
        """,
        # The factor stands behind the slice in the text.
        [*chosen.values, *([] if scenario.factor == 1 else [f"{scenario.factor:f}"])],
    )
    return named_rows(cursor)


def _compared(row: Mapping[str, Any]) -> Compared:
    return Compared(**{name: row[name] for name in Compared.__dataclass_fields__})


def _left_out(row: Mapping[str, Any], book: PriceBook, then: PriceBook) -> LeftOut:
    when, state, provider_name, model = (row[name] for name in _REASON)
    return LeftOut(
        when=when,
        provider_name=provider_name,
        model=model,
        state=state,
        why=_why(book if when == "now" else then, state, provider_name, model),
        requests=row["requests"],
        list_cost=row["left_out_list_cost"],
    )


def _why(book: PriceBook, state: str, provider_name: str, model: str | None) -> str:
    if state == "unpriced":
        match = None if model is None else book.match(provider_name, model)
        if match is None or match.price_key is None:
            return "no model is named" if match is None else match.why
    return _WHY[state]
