"""The outbox: claims with a lease, and what came of them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, or_, select

from monitor.alerts.model import Alert, NotifyReason
from monitor.alerts.outbox import Attempt, Claim, Notification
from monitor.control.receivers import receiver_of
from monitor.control.tables import AttemptRow, NotificationRow, ReceiverRow

LEASE: Final = timedelta(minutes=2)
"""How long a claim holds: longer than any notifier takes, so that only a worker that died is overtaken."""


def claim_due(
    session: Session, *, now: datetime, owner: str, limit: int, except_receivers: Collection[str]
) -> tuple[Claim, ...]:
    """Take the notifications that are due, oldest first, at most one per receiver and none that another holds."""
    claims: list[Claim] = []
    while len(claims) < limit:
        found = session.exec(_due(now, except_receivers)).first()
        if found is None:
            break
        row, receiver = found
        row.state, row.lease_owner, row.lease_until = "sending", owner, now + LEASE
        row.attempts += 1
        session.add(row)
        session.flush()
        claims.append(_claim(row, receiver, owner))
    return tuple(claims)


def settle(session: Session, claim: Claim, attempt: Attempt, changes: dict[str, Any]) -> bool:
    """Write the attempt to the log and, if the claim still holds, the changes to its notification.

    Returns:
        Whether the claim still held: its lease may have ended, or its receiver been removed, meanwhile.
    """
    log = AttemptRow(
        notification_id=claim.notification_id,
        at=attempt.at,
        outcome=attempt.outcome,
        status=attempt.status,
        duration=attempt.duration,
        detail=attempt.detail,
    )
    session.add(log)
    row = session.get_one(NotificationRow, claim.notification_id)
    holds = (row.state, row.lease_owner, row.attempts) == ("sending", claim.owner, claim.attempts)
    if holds:
        row.sqlmodel_update({"lease_owner": None, "lease_until": None, "next_attempt_at": None, **changes})
        session.add(row)
    return holds


def list_notifications(session: Session, limit: int) -> tuple[Notification, ...]:
    """The newest notifications first."""
    order = (col(NotificationRow.created_at).desc(), col(NotificationRow.id))
    rows = session.exec(select(NotificationRow).order_by(*order).limit(limit))
    hidden = {"payload", "lease_until", "lease_owner"}
    return tuple(Notification(**row.model_dump(exclude=hidden)) for row in rows)


def list_attempts(session: Session, notification_id: str) -> tuple[Attempt, ...]:
    """The log of one notification, oldest first."""
    wanted = select(AttemptRow).where(AttemptRow.notification_id == notification_id).order_by(col(AttemptRow.id))
    return tuple(Attempt(**row.model_dump(exclude={"id", "notification_id"})) for row in session.exec(wanted))


def _due(now: datetime, except_receivers: Collection[str]) -> Any:
    other = aliased(NotificationRow)
    is_due = or_(
        and_(col(NotificationRow.state) == "pending", col(NotificationRow.next_attempt_at) <= now),
        and_(col(NotificationRow.state) == "sending", col(NotificationRow.lease_until) <= now),
    )
    is_busy = (
        select(other.id)
        .where(
            col(other.receiver) == col(NotificationRow.receiver),
            col(other.state) == "sending",
            col(other.lease_until) > now,
        )
        .exists()
    )
    return (
        select(NotificationRow, ReceiverRow)
        .join(ReceiverRow, col(ReceiverRow.name) == col(NotificationRow.receiver))
        .where(is_due, ~is_busy, col(ReceiverRow.disabled_at).is_(None))
        .where(col(ReceiverRow.name).not_in(except_receivers))
        .order_by(col(NotificationRow.next_attempt_at), col(NotificationRow.created_at), col(NotificationRow.id))
        .limit(1)
    )


def _claim(row: NotificationRow, receiver: ReceiverRow, owner: str) -> Claim:
    return Claim(
        notification_id=row.id,
        owner=owner,
        receiver=receiver_of(receiver),
        notify_reason=msgspec.convert(row.notify_reason, NotifyReason),
        alert=msgspec.json.decode(row.payload, type=Alert),
        attempts=row.attempts,
        created_at=row.created_at,
    )
