"""What a notifier is, and how the other side can refuse."""

from dataclasses import dataclass
from typing import Protocol

from monitor.alerts.model import Message
from monitor.errors import DeliveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the other side answered when it took the message; `status` is None where it has no number."""

    status: int | None
    detail: str


class Notifier(Protocol):
    """Delivers messages to one place outside."""

    def notify(self, message: Message) -> Receipt:
        """Deliver, or raise `DeliveryError`. May be called again with the same message."""


class RefusedError(DeliveryError):
    """The other side answered, and not with success.

    `status` is the number of its answer. `is_gone` says that the place exists no longer and wants nothing more.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        is_permanent: bool,
        is_gone: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """Say what was answered; `retry_after` is in seconds."""
        super().__init__(message, is_permanent=is_permanent, retry_after=retry_after)
        self.status = status
        self.is_gone = is_gone
