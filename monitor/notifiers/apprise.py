"""Everything that Apprise speaks: Slack, Teams, PagerDuty, ntfy and a hundred more, each named by one URL."""

import re
from collections.abc import Mapping
from typing import Any, Final

import apprise

from monitor.alerts.model import Message, Receiver
from monitor.alerts.notification import short_text, title_of
from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.model import Receipt
from monitor.notifiers.quiet import quiet
from monitor.notifiers.scrub import scrub
from monitor.settings import Settings

_LOGGERS: Final = ("apprise", "urllib3.connectionpool", "urllib3.util.retry")
_SHORTEST_SECRET: Final = 4


class AppriseNotifier:
    """Sends each message to the service behind one Apprise URL."""

    def __init__(self, url: str) -> None:
        """Deliver to the service that `url` names; the URL holds its secrets."""
        self._url = url

    def notify(self, message: Message) -> Receipt:
        """Send it. Apprise tells no permanent failure from a passing one, so every failure is worth another try."""
        with quiet(*_LOGGERS) as lines:
            service = _service(self._url)
            if service is None:
                raise DeliveryError(f"Apprise does not know {describe({'url': self._url})}.", is_permanent=True)
            sender = apprise.Apprise(asset=_asset())
            sender.add(service)
            was_sent = sender.notify(
                title=title_of(message),
                body=short_text(message),
                notify_type=apprise.NotifyType.FAILURE
                if message.alert.severity == "critical"
                else apprise.NotifyType.WARNING,
                body_format=apprise.NotifyFormat.TEXT,
            )
        if not was_sent:
            said = scrub(" ".join(lines), _secrets(service)) or "It gave no reason."
            raise DeliveryError(f"{service.service_name} did not take the message: {said}", is_permanent=False)
        return Receipt(status=None, detail=f"{service.service_name} took the message.")


def apprise_config(url: str) -> dict[str, str]:
    """What the control store keeps of an Apprise receiver.

    Raises:
        ControlError: Apprise cannot use the URL; the text does not repeat it, for it may hold secrets.
    """
    with quiet(*_LOGGERS):
        if _service(url) is None:
            raise ControlError(
                "Apprise cannot use this URL; how the URL of each service is written: https://appriseit.com/services/"
            )
    return {"url": url}


def apprise_notifier(receiver: Receiver, settings: Settings) -> AppriseNotifier:  # noqa: ARG001 (one form for all)
    """The notifier of an Apprise receiver."""
    return AppriseNotifier(receiver.config["url"])


def describe(config: Mapping[str, Any]) -> str:
    """The name of the service only: all the rest of the URL may be secret."""
    return f"{str(config['url']).partition(':')[0]}://…"


def _asset() -> apprise.AppriseAsset:
    # Not in its own threads: the caller has one for each receiver already.
    return apprise.AppriseAsset(async_mode=False)


def _service(url: str) -> apprise.NotifyBase | None:
    return apprise.Apprise.instantiate(url, asset=_asset())


def _secrets(service: apprise.NotifyBase) -> list[str]:
    """The pieces of the URL that Apprise itself leaves out when it shows one."""
    shown = set(_pieces(service, is_private=True))
    whole = _pieces(service, is_private=False)
    return [piece for piece in whole if piece not in shown and len(piece) >= _SHORTEST_SECRET]


def _pieces(service: apprise.NotifyBase, *, is_private: bool) -> list[str]:
    url = service.url(privacy=is_private)  # type: ignore[no-untyped-call]  # Apprise annotates it in its subclasses only
    return re.split(r"[/:@?&=]+", url)
