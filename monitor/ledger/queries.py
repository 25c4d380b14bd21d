"""Every question that is asked of the ledger, by name. The only place where pages and jobs get figures from.

Costs are list cost in USD as `Decimal`; None means that nothing in the slice had a price, which is not zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.ledger.buckets import quantile
from monitor.ledger.ledger import Ledger
from monitor.ledger.measures import SPEEDS, USAGE
from monitor.ledger.scopes import Slice, dimension_column, naive
from monitor.ledger.steps import cut_of, step_start
from monitor.ledger.usage import rows, stepped, usage_rows
from monitor.pricing.figures import UNKNOWN_COST_STATES

_COUNTS: Final = (
    "requests",
    "calls",
    "errors",
    "interrupted_requests",
    "unknown_requests",
    "unpriced_requests",
    "estimated_requests",
)
_UNKNOWN_COST: Final = ", ".join(f"'{state}'" for state in UNKNOWN_COST_STATES)
SUMS: Final = USAGE.added()
# Rows of the rollup that correct others can leave nothing of a group.
_IS_THERE: Final = USAGE.is_there


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over a slice. Token sums and costs are None where nothing was reported or priced.

    `contracted_cost` is what is paid with the user's discounts: without one, the list cost. `estimated_list_cost` is
    the part of `list_cost` that rests on estimated usage.
    """

    requests: int
    calls: int
    errors: int
    interrupted_requests: int
    unknown_requests: int
    unpriced_requests: int
    estimated_requests: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_input_tokens: int | None
    cache_creation_input_tokens: int | None
    reasoning_output_tokens: int | None
    list_cost: Decimal | None
    estimated_list_cost: Decimal | None = None
    contracted_cost: Decimal | None = None

    @property
    def is_discounted(self) -> bool:
        """Whether something else is paid than the list cost."""
        return self.contracted_cost != self.list_cost

    @property
    def error_rate(self) -> float | None:
        """Share of requests that ended in an error; None without requests."""
        return self.errors / self.requests if self.requests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The totals of one value of a dimension; `value` is None for requests that have none."""

    value: str | None
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step of a series: `start` is aware UTC, the beginning of the step in the zone that was asked for."""

    start: datetime
    value: str | None
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Durations in seconds, at most 2 % off; None where there are none."""

    p50: float | None
    p95: float | None
    p99: float | None
    first_chunk_p50: float | None
    first_chunk_p95: float | None


def totals(ledger: Ledger, span: Slice) -> Totals:
    """Everything in the slice, added up."""
    source = usage_rows(span)
    found = rows(ledger, f"select {SUMS} from {source.sql} u", source.values)
    return _totals(found[0])


def by_dimension(ledger: Ledger, span: Slice, dimension: str, *, limit: int | None = None) -> list[Group]:
    """Totals for each value of a dimension, dearest first.

    Raises:
        LedgerError: there is no such dimension.
    """
    column = dimension_column(dimension)
    source = usage_rows(span, by=[dimension])
    found = rows(
        ledger,
        f"select {column} as value, {SUMS} from {source.sql} u group by 1 having {_IS_THERE}"
        " order by list_cost desc nulls last, requests desc, value nulls last limit ?",
        [*source.values, limit if limit is not None else 2**31],
    )
    return [Group(value=row.pop("value"), totals=_totals(row)) for row in found]


def series(ledger: Ledger, span: Slice, *, step: str, time_zone: str, dimension: str | None = None) -> list[Point]:
    """Totals for each step of time, and for each value of a dimension if one is given; steps without requests lack.

    Args:
        ledger: the ledger.
        span: which requests.
        step: one of `TIME_STEPS`; minutes, and hours that do not begin with an hour of UTC, are read from the
            requests, all others from a rollup.
        time_zone: IANA zone in which days, weeks (from Monday) and months begin.
        dimension: one of the record's dimensions.

    Raises:
        ValueError: there is no such step.
        LedgerError: there is no such dimension.
    """
    column = dimension_column(dimension) if dimension else "null"
    source = usage_rows(span, by=[dimension] if dimension else [], cut=cut_of(span, step, ZoneInfo(time_zone)))
    source = stepped(source, step, time_zone)
    found = rows(
        ledger,
        f"select start, {column} as value, {SUMS} from {source.sql} u group by 1, 2 having {_IS_THERE} order by 1, 2",
        source.values,
    )
    return points_of(found, step, time_zone)


def durations(ledger: Ledger, span: Slice) -> Quantiles:
    """Quantiles of duration and of time to first chunk."""
    source = usage_rows(span, by=SPEEDS.keys, facts=SPEEDS)
    found = rows(ledger, f"select bucket, {SPEEDS.added()} from {source.sql} u group by 1", source.values)
    whole = {row["bucket"]: row["durations"] for row in found}
    first = {row["bucket"]: row["first_chunks"] for row in found}
    return Quantiles(
        p50=quantile(whole, 0.5),
        p95=quantile(whole, 0.95),
        p99=quantile(whole, 0.99),
        first_chunk_p50=quantile(first, 0.5),
        first_chunk_p95=quantile(first, 0.95),
    )


def values_of(ledger: Ledger, span: Slice, dimension: str) -> list[str | None]:
    """The values that a dimension has in the slice, dearest first; for filters."""
    return [group.value for group in by_dimension(ledger, span, dimension, limit=500)]


def unpriced_models(ledger: Ledger, span: Slice) -> list[dict[str, Any]]:
    """Models with requests whose cost is not known: provider, model, requests, tokens, state and why."""
    source = usage_rows(
        span, by=["provider_name", "model", "pricing_state"], only=f"pricing_state in ({_UNKNOWN_COST})"
    )
    return rows(
        ledger,
        f"""
        select r.*, m.why
        from (
            select provider_name, model, pricing_state, {SUMS} from {source.sql} u group by all having {_IS_THERE}
        ) r
        left join (select provider_name, model, any_value(why) as why from price_matches group by all) m
            on m.provider_name = r.provider_name and m.model = r.model
        order by r.requests desc, r.provider_name, r.model nulls last
        """,
        source.values,
    )


def first_request_at(ledger: Ledger) -> datetime | None:
    """When the oldest hour of the rollup begins, aware UTC; None in an empty ledger."""
    found = rows(ledger, "select min(hour) as first from usage_hourly", [])
    return found[0]["first"].replace(tzinfo=UTC) if found[0]["first"] else None


def quarantined_lines(ledger: Ledger, *, limit: int) -> list[dict[str, Any]]:
    """The newest damaged spool lines: file, offset, reason, line, when they were seen (aware UTC)."""
    found = rows(ledger, "select * from quarantine order by seen_at desc limit ?", [limit])
    return [row | {"seen_at": row["seen_at"].replace(tzinfo=UTC)} for row in found]


def losses(ledger: Ledger) -> dict[str, int]:
    """How many lines are in quarantine (`quarantined`) and how many were dropped by writers, by reason."""
    dropped = rows(ledger, "select reason, cast(sum(records) as bigint) as n from dropped group by 1", [])
    found = {row["reason"]: int(row["n"]) for row in dropped}
    quarantined = rows(ledger, "select count(*) as n from quarantine", [])
    return found | {"quarantined": int(quarantined[0]["n"])}


def price_lists(ledger: Ledger) -> list[str]:
    """Names of the price lists that the entries come from that hold now."""
    found = rows(
        ledger,
        "select distinct price_list from prices where is_current and (valid_to is null or valid_to > ?) order by 1",
        [naive(ledger.clock())],
    )
    return [row["price_list"] for row in found]


def points_of(found: Sequence[dict[str, Any]], step: str, time_zone: str) -> list[Point]:
    """Rows with `start`, `value` and all measures as points of a series."""
    return [
        Point(start=step_start(step, row.pop("start"), time_zone), value=row.pop("value"), totals=_totals(row))
        for row in found
    ]


def _totals(row: dict[str, Any]) -> Totals:
    found = {field.name: row[field.name] for field in fields(Totals)}
    return Totals(**(found | {name: int(row[name] or 0) for name in _COUNTS}))
