"""Questions of the pages and of budgets, most of them put together from those in `queries`."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from monitor.budgets.evaluate import Spend
from monitor.budgets.model import Scope
from monitor.budgets.pace import share
from monitor.ledger import queries
from monitor.ledger.columns import quoted
from monitor.ledger.ledger import Ledger
from monitor.ledger.measures import USAGE
from monitor.ledger.queries import Group, Point
from monitor.ledger.scopes import Condition, Slice, Where, conditions_of, naive, where
from monitor.ledger.steps import Cut, cut_of
from monitor.ledger.usage import rows, stepped, usage_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Leading:
    """A series split by the dearest values of a dimension; `rest` is what all other values come to, as one."""

    values: tuple[str | None, ...]
    points: tuple[Point, ...]
    rest: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """The totals of one value of a dimension and its share of the known spend; None while nothing is priced."""

    group: Group
    share: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostToCome:
    """Requests that began work whose usage is not told yet, and when the oldest of them began, aware UTC, if any."""

    requests: int
    oldest_at: datetime | None


def leading_series(ledger: Ledger, span: Slice, dimension: str, *, limit: int, step: str, time_zone: str) -> Leading:
    """The series of the `limit` dearest values of a dimension, and of all others together."""
    values = tuple(group.value for group in queries.by_dimension(ledger, span, dimension, limit=limit + 1))
    source = stepped(
        _leading_and_rest(span, dimension, values[:limit], cut_of(span, step, ZoneInfo(time_zone))), step, time_zone
    )
    found = rows(
        ledger,
        f"select start, is_rest, value, {USAGE.added()} from {source.sql} u group by all having {USAGE.is_there}"
        " order by start, value",
        source.values,
    )
    kinds = {kind: [row for row in found if row["is_rest"] is kind] for kind in (False, True)}
    points, rest = (tuple(queries.points_of(kinds[kind], step, time_zone)) for kind in (False, True))
    return Leading(values=values[:limit], points=points, rest=rest)


def _leading_and_rest(span: Slice, dimension: str, values: tuple[str | None, ...], cut: Cut) -> Where:
    """Rows of the values, and the whole less these: the rollup of the whole is smaller than that of all values."""
    condition = Condition(dimension=dimension, values=values)
    leading = usage_rows(replace(span, conditions=(*span.conditions, condition)), by=[dimension], cut=cut)
    whole = usage_rows(span, cut=cut)
    measures = ", ".join(USAGE.measures)
    sql = f"""(
        with dearest as materialized (from {leading.sql})
        select moment, false as is_rest, {quoted(dimension)} as value, {measures} from dearest
        union all by name select moment, true as is_rest, {USAGE.negated()} from dearest
        union all by name select moment, true as is_rest, {measures} from {whole.sql}
    )"""
    return Where(sql=sql, values=[*leading.values, *whole.values])


def portions(ledger: Ledger, span: Slice, dimension: str, *, limit: int) -> list[Portion]:
    """The dearest values of a dimension, each with its share of the spend of the whole slice."""
    whole = queries.totals(ledger, span).list_cost
    return [
        Portion(group=group, share=_share(group.totals.list_cost, whole))
        for group in queries.by_dimension(ledger, span, dimension, limit=limit)
    ]


def unpriced_by_model(ledger: Ledger, span: Slice) -> list[Group]:
    """The models with requests of unknown cost, those with the most of them first; from the rollup."""
    found = [group for group in queries.by_dimension(ledger, span, "model") if group.totals.unpriced_requests]
    return sorted(found, key=lambda group: -group.totals.unpriced_requests)


def cost_to_come(ledger: Ledger, span: Slice) -> CostToCome:
    """The requests of the slice whose cost is pending; they are not counted as unpriced."""
    is_pending = "pricing_state = 'pending'"
    source = usage_rows(span, by=["pricing_state"], only=is_pending, cut=Cut(steps=("hour",), moments="hour"))
    hours = rows(
        ledger,
        f"select moment as hour, sum(requests) as requests from {source.sql} u"
        " group by 1 having sum(requests) <> 0 order by 1",
        source.values,
    )
    if not hours:
        return CostToCome(requests=0, oldest_at=None)
    scope = where(span.conditions)
    first = hours[0]["hour"]
    (found,) = rows(
        ledger,
        "select min(started_at) as oldest_at from requests"
        f" where started_at >= ? and started_at < ? and {is_pending} and {scope.sql}",
        [max(first, naive(span.start)), min(first + timedelta(hours=1), naive(span.end)), *scope.values],
    )
    oldest = found["oldest_at"]
    return CostToCome(
        requests=sum(int(row["requests"]) for row in hours), oldest_at=oldest and oldest.replace(tzinfo=UTC)
    )


def spend_of(ledger: Ledger, scope: Scope, start: datetime, end: datetime) -> Spend:
    """What the requests of a budget's scope cost in [start, end)."""
    found = queries.totals(ledger, Slice(start=start, end=end, conditions=conditions_of(scope)))
    return Spend(list_cost=found.list_cost, requests=found.requests, unpriced_requests=found.unpriced_requests)


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or whole is None else share(part, whole)
