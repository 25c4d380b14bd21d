"""Decides which thresholds of a budget the spend has reached."""

from dataclasses import dataclass
from decimal import Decimal

from monitor.budgets.model import Budget
from monitor.budgets.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What the calls of a scope cost in a period so far, in USD.

    `list_cost` is None while nothing in it has a price; `unpriced_requests` of the `requests` are not part of it.
    """

    list_cost: Decimal | None
    requests: int
    unpriced_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The spend in a period has reached one threshold of a budget."""

    budget: Budget
    period: Period
    threshold: Decimal
    list_cost: Decimal
    requests: int
    unpriced_requests: int


def evaluate(budget: Budget, period: Period, spend: Spend) -> tuple[Crossing, ...]:
    """All thresholds that the actual spend has reached, lowest first.

    None of them while nothing is priced: unknown is not zero, and it is not too much either.
    """
    list_cost = spend.list_cost
    if list_cost is None:
        return ()
    return tuple(
        Crossing(
            budget=budget,
            period=period,
            threshold=threshold,
            list_cost=list_cost,
            requests=spend.requests,
            unpriced_requests=spend.unpriced_requests,
        )
        for threshold in budget.thresholds
        if list_cost >= budget.amount * threshold
    )
