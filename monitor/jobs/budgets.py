"""Evaluates the budgets and raises the alerts that follow."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from monitor.alerts.budget_alert import alerts_of
from monitor.budgets.evaluate import Spend, evaluate
from monitor.budgets.model import Budget, Scope
from monitor.budgets.periods import Period, period_before, period_of
from monitor.clock import Clock
from monitor.control.store import Control

log: Final = logging.getLogger(__name__)

SpendOf = Callable[[Scope, datetime, datetime], Spend]
"""Gives the spend of a scope from a start (inside) to an end (outside), both aware UTC."""


def evaluate_budgets(control: Control, spend_of: SpendOf, clock: Clock, public_url: str | None) -> int:
    """Raise an alert for each threshold newly reached, resolve what has ended; return how many alerts are new.

    Running it again with the same facts changes nothing. The period before is looked at as well, for calls that
    arrived late or a server that was down over its end.

    Args:
        control: where budgets and alerts stand.
        spend_of: asked once per budget and period.
        clock: tells which periods those are.
        public_url: of the dashboard, for a link in the alerts.
    """
    now = clock()
    control.resolve_ended()
    new = 0
    for budget in control.list_budgets():
        for period in _periods(budget, now):
            crossings = evaluate(budget, period, spend_of(budget.scope, period.start, period.end))
            alerts = alerts_of(crossings, now=now, public_url=public_url)
            new += control.raise_alerts(alerts, budget.receivers)
    if new:
        log.info("Budget thresholds were reached: %d new alerts.", new)
    return new


def _periods(budget: Budget, now: datetime) -> tuple[Period, ...]:
    """Oldest first; the period before only if this version of the budget held in it."""
    current = period_of(budget.period, budget.time_zone, now)
    before = period_before(budget.period, budget.time_zone, current)
    return (before, current) if budget.created_at < before.end else (current,)
