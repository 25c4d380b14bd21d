"""Budgets, alerts and messages for tests, each with values that a test need not care about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from monitor.alerts.budget_alert import from_crossing
from monitor.alerts.model import Alert, Message, NotifyReason, Receiver, ReceiverKind, fingerprint
from monitor.budgets.evaluate import Crossing, Spend
from monitor.budgets.model import DEFAULT_THRESHOLDS, Budget, PeriodKind, Scope
from monitor.budgets.periods import period_of
from monitor.control.store import Control

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands until it is told to go on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def make_budget(
    *,
    name: str = "search",
    version: int = 1,
    amount: str = "100",
    period: PeriodKind = "month",
    time_zone: str = "UTC",
    scope: Scope = (),
    thresholds: tuple[Decimal, ...] = DEFAULT_THRESHOLDS,
    receivers: tuple[str, ...] = (),
    created_at: datetime = NOW,
) -> Budget:
    return Budget(
        id="bud_1",
        name=name,
        version=version,
        amount=Decimal(amount),
        period=period,
        time_zone=time_zone,
        scope=scope,
        thresholds=thresholds,
        receivers=receivers,
        created_at=created_at,
    )


def make_spend(list_cost: str | None = "0", *, requests: int = 10, unpriced_requests: int = 0) -> Spend:
    return Spend(
        list_cost=None if list_cost is None else Decimal(list_cost),
        requests=requests,
        unpriced_requests=unpriced_requests,
    )


def make_crossing(
    *,
    budget: Budget | None = None,
    threshold: str = "0.8",
    list_cost: str = "81.2",
    unpriced_requests: int = 0,
    now: datetime = NOW,
) -> Crossing:
    budget = budget or make_budget()
    return Crossing(
        budget=budget,
        period=period_of(budget.period, budget.time_zone, now),
        threshold=Decimal(threshold),
        list_cost=Decimal(list_cost),
        requests=1204,
        unpriced_requests=unpriced_requests,
    )


def make_alert(
    *, threshold: str = "0.8", budget: Budget | None = None, now: datetime = NOW, public_url: str | None = None
) -> Alert:
    return from_crossing(make_crossing(threshold=threshold, budget=budget, now=now), now=now, public_url=public_url)


def make_plain_alert(name: str = "a") -> Alert:
    """An alert of no budget: `name` is its identity."""
    labels = {"alertname": name}
    return Alert(
        fingerprint=fingerprint(labels),
        rule="test",
        state="firing",
        labels=labels,
        annotations={"summary": f"Alert {name}."},
        starts_at=NOW,
    )


def make_message(
    *,
    alert: Alert | None = None,
    message_id: str = "msg_1",
    notify_reason: NotifyReason = "firing",
    created_at: datetime = NOW,
    sent_at: datetime | None = None,
) -> Message:
    return Message(
        id=message_id,
        notify_reason=notify_reason,
        alert=alert or make_alert(),
        created_at=created_at,
        sent_at=sent_at or created_at,
    )


def make_receiver(kind: ReceiverKind, config: dict[str, object]) -> Receiver:
    return Receiver(name="on-call", kind=kind, config=config, created_at=NOW)


def open_control(directory: Path, clock: FakeClock | None = None) -> Control:
    return Control.open(directory / "control.sqlite", clock or FakeClock())


def add_webhook(control: Control, name: str = "on-call", url: str = "http://127.0.0.1:9/hook") -> None:
    control.add_receiver(name=name, kind="webhook", config={"url": url, "secret": "whsec_" + "A" * 32})
