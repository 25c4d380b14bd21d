"""Alerts in the control store, each written together with its notifications."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec
from sqlmodel import Session, col, or_, select, update

from monitor.alerts.model import Alert, Firing, State
from monitor.control.tables import AlertRow, NotificationRow, ReceiverRow


def new_message_id() -> str:
    """A random id for a notification, which webhooks carry as `webhook-id`."""
    return f"msg_{secrets.token_hex(16)}"


def all_known(session: Session, alerts: Sequence[Alert]) -> bool:
    """Whether all these alerts are stored already."""
    return all(session.get(AlertRow, alert.fingerprint) is not None for alert in alerts)


def raise_alerts(session: Session, alerts: Sequence[Alert], receivers: Sequence[str], *, now: datetime) -> int:
    """Store the alerts that are new, with their notifications, and return how many those are."""
    new = [alert for alert in alerts if session.get(AlertRow, alert.fingerprint) is None]
    for alert in new:
        session.add(_row(alert))
        # The alert must stand before what refers to it.
        session.flush()
        if alert.inhibited_by is None:
            session.add_all(_notification(session, alert, receiver, now) for receiver in dict.fromkeys(receivers))
    return len(new)


def hold_alerts(
    session: Session, rule: str, firing: Sequence[Firing], receivers: Sequence[str], *, now: datetime
) -> int:
    """Let exactly these alerts of a rule fire: new ones with their notifications, known ones with what they say now.

    Returns:
        How many are new.
    """
    known = {one.alert.fingerprint for one in firing if _extended(session, one.alert)}
    new = [one for one in firing if one.alert.fingerprint not in known]
    for one in new:
        raise_alerts(session, [one.alert], receivers if one.is_told else (), now=now)
    ended = (
        update(AlertRow)
        .where(col(AlertRow.rule) == rule, col(AlertRow.state) == "firing")
        .where(col(AlertRow.fingerprint).not_in([one.alert.fingerprint for one in firing]))
        .values(state="resolved", ends_at=now)
    )
    session.exec(ended)
    return len(new)


def _extended(session: Session, alert: Alert) -> bool:
    """Let a known alert fire as it is now; False where it is not known."""
    row = session.get(AlertRow, alert.fingerprint)
    if row is not None:
        row.sqlmodel_update({"state": alert.state, "annotations": dict(alert.annotations), "ends_at": alert.ends_at})
        session.add(row)
        session.flush()
    return row is not None


def alerts_of_rule(session: Session, rule: str, *, since: datetime) -> tuple[Alert, ...]:
    """The alerts of a rule that fire, or ended since then."""
    is_recent = or_(col(AlertRow.state) == "firing", col(AlertRow.ends_at) >= since)
    rows = session.exec(select(AlertRow).where(AlertRow.rule == rule, is_recent))
    return tuple(map(_alert, rows))


def list_alerts(session: Session, limit: int) -> tuple[Alert, ...]:
    """The newest alerts first."""
    order = (col(AlertRow.starts_at).desc(), col(AlertRow.fingerprint))
    return tuple(map(_alert, session.exec(select(AlertRow).order_by(*order).limit(limit))))


def resolve_ended(session: Session, *, now: datetime) -> int:
    """Resolve the firing alerts whose end has come, and return how many those are."""
    ended = (
        update(AlertRow).where(col(AlertRow.state) == "firing", col(AlertRow.ends_at) <= now).values(state="resolved")
    )
    return session.exec(ended).rowcount


def resolve_budget_alerts(session: Session, budget_id: str, *, now: datetime) -> None:
    """Resolve all firing alerts of a budget whose version ends now."""
    session.exec(
        update(AlertRow)
        .where(col(AlertRow.budget_id) == budget_id, col(AlertRow.state) == "firing")
        .values(state="resolved", ends_at=now)
    )


def _notification(session: Session, alert: Alert, name: str, now: datetime) -> NotificationRow:
    receiver = session.get(ReceiverRow, name)
    fault = None
    if receiver is None:
        fault = "The receiver was removed."
    elif receiver.disabled_at is not None:
        fault = f"The receiver is disabled: {receiver.disabled_reason}"
    return NotificationRow(
        id=new_message_id(),
        alert_fingerprint=alert.fingerprint,
        receiver=name,
        notify_reason="firing",
        payload=msgspec.json.encode(alert).decode(),
        state="pending" if fault is None else "failed",
        next_attempt_at=now if fault is None else None,
        last_error=fault,
        created_at=now,
    )


def _row(alert: Alert) -> AlertRow:
    return AlertRow(
        fingerprint=alert.fingerprint,
        rule=alert.rule,
        state=alert.state,
        labels=dict(alert.labels),
        annotations=dict(alert.annotations),
        starts_at=alert.starts_at,
        ends_at=alert.ends_at,
        inhibited_by=alert.inhibited_by,
        budget_id=alert.labels.get("budget_id"),
    )


def _alert(row: AlertRow) -> Alert:
    values = row.model_dump(exclude={"budget_id", "state"})
    return Alert(**values, state=cast("State", row.state))
