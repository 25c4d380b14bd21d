"""What the outbox holds: notifications, the right to send one, and what came of each attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitor.alerts.model import Alert, Message, NotifyReason, Receiver

NotificationState = Literal["pending", "sending", "delivered", "failed", "expired"]
"""failed: refused for good, or nobody to send it to; expired: tried in vain to the end of its lifetime."""

Outcome = Literal["delivered", "retry", "failed", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to one receiver as it stands in the outbox; `last_error` is free of secrets."""

    id: str
    alert_fingerprint: str
    receiver: str
    notify_reason: NotifyReason
    state: NotificationState
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to send one notification until the lease ends; `attempts` counts the one to come."""

    notification_id: str
    owner: str
    receiver: Receiver
    notify_reason: NotifyReason
    alert: Alert
    attempts: int
    created_at: datetime

    def message(self, sent_at: datetime) -> Message:
        """What is to be sent; its id is the same in every attempt."""
        return Message(
            id=self.notification_id,
            notify_reason=self.notify_reason,
            alert=self.alert,
            created_at=self.created_at,
            sent_at=sent_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the notification log; `detail` is what the other side said, cut short and free of secrets."""

    at: datetime
    outcome: Outcome
    status: int | None
    duration: float
    detail: str
