"""Turns reached budget thresholds into alerts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from monitor.alerts.model import Alert, fingerprint
from monitor.alerts.wording import counted, local_time, percent, period_name, usd
from monitor.budgets.evaluate import Crossing
from monitor.budgets.model import describe_scope
from monitor.pricing.figures import exact

RULE: Final = "budget_threshold"

_MAX_SCOPE: Final = 500


def alerts_of(crossings: Sequence[Crossing], *, now: datetime, public_url: str | None) -> tuple[Alert, ...]:
    """One alert per crossing of one budget and period; the highest threshold speaks for the others.

    The lower ones are inhibited by it, so that spend which jumps over three thresholds sends one message.
    """
    alerts = [from_crossing(crossing, now=now, public_url=public_url) for crossing in crossings]
    if not alerts:
        return ()
    highest = max(zip(crossings, alerts, strict=True), key=lambda pair: pair[0].threshold)[1]
    return tuple(alert if alert is highest else replace(alert, inhibited_by=highest.fingerprint) for alert in alerts)


def from_crossing(crossing: Crossing, *, now: datetime, public_url: str | None) -> Alert:
    """The alert of one crossing; its identity is the budget, its version, the period and the threshold.

    A crossing that is only noticed after its period, because calls arrived late, starts and ends at the period's end.
    """
    budget, period = crossing.budget, crossing.period
    labels = {
        "alertname": "BudgetThreshold",
        "severity": "critical" if crossing.threshold >= 1 else "warning",
        "budget_id": budget.id,
        "budget": budget.name,
        "budget_version": str(budget.version),
        "period_start": period.start.isoformat(),
        "threshold": exact(crossing.threshold),
    }
    return Alert(
        fingerprint=fingerprint(labels),
        rule=RULE,
        state="firing",
        labels=labels,
        annotations=_annotations(crossing, now=now, public_url=public_url),
        starts_at=min(now, period.end),
        ends_at=period.end,
    )


def _annotations(crossing: Crossing, *, now: datetime, public_url: str | None) -> dict[str, str]:
    budget, period = crossing.budget, crossing.period
    used = percent(crossing.list_cost / budget.amount)
    annotations = {
        "title": f"Budget {budget.name}: {used} used",
        "summary": _summary(crossing, now=now),
        "action": _action(crossing),
        "scope": describe_scope(budget.scope)[:_MAX_SCOPE],
        "list_cost": exact(crossing.list_cost),
        "amount": exact(budget.amount),
        "billing_currency": "USD",
        "used": used,
        "requests": str(crossing.requests),
        "unpriced_requests": str(crossing.unpriced_requests),
        "period": period_name(budget.period, period, budget.time_zone),
        "period_start": period.start.isoformat(),
        "period_end": period.end.isoformat(),
        "time_zone": budget.time_zone,
    }
    if public_url is not None:
        annotations["dashboard_url"] = public_url
    return annotations


def _summary(crossing: Crossing, *, now: datetime) -> str:
    budget, period = crossing.budget, crossing.period
    has_ended = now >= period.end
    used = percent(crossing.list_cost / budget.amount)
    scope = describe_scope(budget.scope)
    if len(scope) > _MAX_SCOPE:
        scope = f"{scope[:_MAX_SCOPE]}…"
    sentence = (
        f"Budget {budget.name!r} {'had' if has_ended else 'has'} used {used} of its {usd(budget.amount)} for "
        f"{period_name(budget.period, period, budget.time_zone)} ({usd(crossing.list_cost)} for {scope})"
    )
    if crossing.unpriced_requests:
        sentence += f", not counting {counted(crossing.unpriced_requests, 'request')} without a price"
    when = local_time(period.end, budget.time_zone)
    return f"{sentence}; the period {'ended on' if has_ended else 'runs until'} {when}."


def _action(crossing: Crossing) -> str:
    text = (
        "Nothing is blocked: calls go on and cost money. The dashboard shows which models, features and call sites "
        f"spend it. To change the amount: monitor budget edit {crossing.budget.name!r} --amount NEW_AMOUNT"
    )
    if crossing.unpriced_requests:
        text += ". The true spend is higher than stated: some requests used models without a price"
    return f"{text}."
