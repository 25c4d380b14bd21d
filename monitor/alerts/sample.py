"""The message that `monitor receiver test` sends."""

from datetime import datetime, timedelta

from monitor.alerts.model import Alert, Message, fingerprint


def sample_message(receiver: str, *, message_id: str, now: datetime) -> Message:
    """A message that looks like a budget alert and says that it is only a test."""
    labels = {
        "alertname": "ReceiverTest",
        "severity": "warning",
        "receiver": receiver,
        "sent_at": now.isoformat(),
    }
    annotations = {
        "title": f"Receiver {receiver} works",
        "summary": f"This is a test of receiver {receiver!r}: it works, and nothing has happened.",
        "action": "Nothing is to be done. Alerts of budgets that notify this receiver will look like this one.",
        "scope": "all calls",
        "list_cost": "81.2",
        "amount": "100",
        "billing_currency": "USD",
        "used": "81%",
        "requests": "1204",
        "unpriced_requests": "0",
        "period": "an example",
    }
    alert = Alert(
        fingerprint=fingerprint(labels),
        rule="receiver_test",
        state="firing",
        labels=labels,
        annotations=annotations,
        starts_at=now,
        ends_at=now + timedelta(hours=1),
    )
    return Message(id=message_id, notify_reason="test", alert=alert, created_at=now, sent_at=now)
