"""What a message says: as JSON for programs, as text and HTML for people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from monitor.alerts.mail_body import html_body, text_body
from monitor.alerts.model import Message
from monitor.alerts.wording import span

LATE_AFTER: Final = timedelta(minutes=15)
"""A message that is older than this when it leaves says so."""

_MAX_TITLE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message as an email; the subject is a single line, the HTML is escaped."""

    subject: str
    text: str
    html: str


def delay_of(message: Message) -> str | None:
    """`delayed by 2 hours 5 minutes`, or None for a message in time."""
    delay = message.sent_at - message.created_at
    return f"delayed by {span(delay)}" if delay > LATE_AFTER else None


def webhook_body(message: Message) -> bytes:
    """The message as JSON (UTF-8): `type`, `timestamp` and `data`; every amount in it is a decimal string."""
    alert = message.alert
    data: dict[str, object] = {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "state": alert.state,
        "starts_at": _iso(alert.starts_at),
        "ends_at": None if alert.ends_at is None else _iso(alert.ends_at),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
    }
    delay = delay_of(message)
    if delay is not None:
        data["delay"] = delay
    return msgspec.json.encode(
        {"type": f"alert.{message.notify_reason}", "timestamp": _iso(message.created_at), "data": data}
    )


def mail_of(message: Message) -> Mail:
    """The message as an email."""
    delay = delay_of(message)
    return Mail(
        subject=_subject(message, delay),
        text=text_body(message.alert, delay),
        html=html_body(message.alert, delay),
    )


def title_of(message: Message) -> str:
    """A single short line for subjects and push messages: how bad, and what."""
    prefix = "TEST" if message.notify_reason == "test" else message.alert.severity.upper()
    title = " ".join(f"[{prefix}] {message.alert.title}".split())
    return title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 1]}…"


def short_text(message: Message) -> str:
    """The message in a few lines, for chats and push messages."""
    annotations = message.alert.annotations
    delay = delay_of(message)
    lines = [
        message.alert.summary,
        None if delay is None else f"This message was {delay}.",
        annotations.get("action"),
        annotations.get("dashboard_url"),
    ]
    return "\n\n".join(line for line in lines if line is not None)


def _subject(message: Message, delay: str | None) -> str:
    return title_of(message) if delay is None else f"{title_of(message)} ({delay})"


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
