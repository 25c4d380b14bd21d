"""What an alert, a receiver and a message are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec

State = Literal["firing", "resolved"]

Severity = Literal["warning", "critical"]

NotifyReason = Literal["firing", "test"]

ReceiverKind = Literal["webhook", "email", "apprise"]

RECEIVER_KINDS: Final[tuple[ReceiverKind, ...]] = get_args(ReceiverKind)

FINGERPRINT_LENGTH: Final = 32


def fingerprint(labels: Mapping[str, str]) -> str:
    """The identity of an alert: equal labels give the same 32 characters, in every process and version."""
    text = msgspec.json.encode(dict(labels), order="sorted")
    return hashlib.sha256(text).hexdigest()[:FINGERPRINT_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One condition, identified by its labels; the annotations are text for people.

    `ends_at` may lie ahead: then the alert fires until that moment and resolves by itself. `inhibited_by` is the
    fingerprint of a greater alert that speaks for this one, so that this one sends no notification.
    """

    fingerprint: str
    rule: str
    state: State
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    inhibited_by: str | None = None

    @property
    def severity(self) -> Severity:
        """`critical` or `warning`, as the labels say; an alert without that label is a warning."""
        return "critical" if self.labels.get("severity") == "critical" else "warning"

    @property
    def title(self) -> str:
        """A few words, where a sentence is too long."""
        return self.annotations.get("title", self.summary)

    @property
    def summary(self) -> str:
        """The one sentence that says what happened."""
        return self.annotations.get("summary", self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An alert that fires now; `is_told` says whether its receivers hear of it, should it be new."""

    alert: Alert
    is_told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A named place that notifications go to; `config` may hold secrets and is never shown."""

    name: str
    kind: str
    config: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One alert on its way to one receiver.

    `id` and `created_at` stay the same over all attempts; `sent_at` is the moment of this attempt.
    """

    id: str
    notify_reason: NotifyReason
    alert: Alert
    created_at: datetime
    sent_at: datetime
