"""The table of notifiers. A new one is a file beside this and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from monitor.alerts.model import Receiver
from monitor.errors import DeliveryError
from monitor.notifiers import apprise, email, webhook
from monitor.notifiers.model import Notifier
from monitor.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What one kind of receiver needs: how to make its notifier, and how to show where it leads without secrets."""

    factory: Callable[[Receiver, Settings], Notifier]
    describe: Callable[[Mapping[str, Any]], str]


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "webhook": Kind(factory=webhook.webhook_notifier, describe=webhook.describe),
        "email": Kind(factory=email.email_notifier, describe=email.describe),
        "apprise": Kind(factory=apprise.apprise_notifier, describe=apprise.describe),
    }
)


def notifier_for(receiver: Receiver, settings: Settings) -> Notifier:
    """Make the notifier of a receiver; it reaches nothing yet.

    Raises:
        DeliveryError: the kind is not known, or a setting that it needs is missing.
    """
    kind = KINDS.get(receiver.kind)
    if kind is None:
        raise DeliveryError(f"No notifier is known for receivers of kind {receiver.kind!r}.", is_permanent=True)
    return kind.factory(receiver, settings)


def describe(receiver: Receiver) -> str:
    """Where a receiver leads, fit to be shown: no secrets."""
    kind = KINDS.get(receiver.kind)
    return receiver.kind if kind is None else kind.describe(receiver.config)
