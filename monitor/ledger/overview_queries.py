"""Questions of the overview and of budgets that are put together from those in `queries`."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from monitor.budgets.evaluate import Spend
from monitor.budgets.model import Scope
from monitor.budgets.pace import share
from monitor.ledger import queries
from monitor.ledger.ledger import Ledger
from monitor.ledger.queries import Group, Point
from monitor.ledger.scopes import Condition, Slice, conditions_of


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


def leading_series(ledger: Ledger, span: Slice, dimension: str, *, limit: int, step: str, time_zone: str) -> Leading:
    """The series of the `limit` dearest values of a dimension, and of all others together."""
    values = tuple(group.value for group in queries.by_dimension(ledger, span, dimension, limit=limit + 1))
    leading = values[:limit]
    points = queries.series(
        ledger, _with(span, dimension, leading), step=step, time_zone=time_zone, dimension=dimension
    )
    rest: list[Point] = []
    if len(values) > limit:
        others = _with(span, dimension, leading, is_negated=True)
        rest = queries.series(ledger, others, step=step, time_zone=time_zone)
    return Leading(values=leading, points=tuple(points), rest=tuple(rest))


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


def spend_of(ledger: Ledger, scope: Scope, start: datetime, end: datetime) -> Spend:
    """What the requests of a budget's scope cost in [start, end)."""
    found = queries.totals(ledger, Slice(start=start, end=end, conditions=conditions_of(scope)))
    return Spend(list_cost=found.list_cost, requests=found.requests, unpriced_requests=found.unpriced_requests)


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or whole is None else share(part, whole)


def _with(span: Slice, dimension: str, values: tuple[str | None, ...], *, is_negated: bool = False) -> Slice:
    condition = Condition(dimension=dimension, values=values, is_negated=is_negated)
    return replace(span, conditions=(*span.conditions, condition))
