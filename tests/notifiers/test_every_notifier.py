"""What holds for each notifier, whatever it speaks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.alerts.model import RECEIVER_KINDS, Receiver, ReceiverKind
from monitor.errors import DeliveryError
from monitor.notifiers.registry import KINDS, describe, notifier_for
from monitor.settings import Settings
from tests.factories_alerts import make_alert, make_message, make_receiver
from tests.receivers import Answer, HttpReceiver, MailReceiver, mail_server

# Apprise loads its services on first use, and one of them imports a module that Python 3.13 dropped.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "whsec_" + "c2VjcmV0" * 4
TOKEN = "T0KEN-of-the-receiver"


@dataclass
class World:
    """A receiver, and the real place it leads to."""

    receiver: Receiver
    settings: Settings
    place: HttpReceiver | MailReceiver

    @property
    def sent(self) -> list[str]:
        if isinstance(self.place, HttpReceiver):
            return [posted.body.decode() for posted in self.place.posted]
        return [mailed.mail.as_string() for mailed in self.place.mailed]


@contextmanager
def world(kind: ReceiverKind, *, fails: int = 0) -> Iterator[World]:
    with ExitStack() as stack:
        config: dict[str, object]
        smtp_url = None
        place: HttpReceiver | MailReceiver
        if kind == "email":
            place = stack.enter_context(mail_server(MailReceiver(*["451 later"] * fails), login=("me", TOKEN)))
            smtp_url, config = f"smtp://me:{TOKEN}@127.0.0.1:{place.port}", {"to": ["on-call@example.com"]}
        else:
            place = stack.enter_context(HttpReceiver(*[Answer(500, TOKEN.encode())] * fails))
            url = f"{place.url}/{TOKEN}"
            config = {"url": url, "secret": SECRET} if kind == "webhook" else {"url": f"json://{url[7:]}?:k={TOKEN}"}
        settings = Settings(home=Path("unused"), smtp_url=smtp_url, smtp_from="monitor@example.com")
        yield World(receiver=make_receiver(kind, config), settings=settings, place=place)


every_kind = pytest.mark.parametrize("kind", RECEIVER_KINDS)


@every_kind
def test_the_message_arrives(kind: ReceiverKind) -> None:
    """What happened stands in what was received."""
    alert = make_alert()
    with world(kind) as here:
        receipt = notifier_for(here.receiver, here.settings).notify(make_message(alert=alert))

        assert receipt.detail
        (sent,) = here.sent
        assert "Budget 'search' has used 81%" in sent.replace("&#x27;", "'").replace("=\n", "")


@every_kind
def test_a_failure_is_a_delivery_error_worth_another_try(kind: ReceiverKind) -> None:
    """A place that is not well answers with a failure; the next try can succeed."""
    with world(kind, fails=1) as here:
        notifier = notifier_for(here.receiver, here.settings)
        with pytest.raises(DeliveryError) as caught:
            notifier.notify(make_message())
        assert not caught.value.is_permanent
        assert notifier.notify(make_message()).detail


@every_kind
def test_a_place_that_is_not_there_is_worth_another_try(kind: ReceiverKind) -> None:
    """It may come up again."""
    with world(kind) as here:
        receiver, settings = here.receiver, here.settings
    with pytest.raises(DeliveryError) as caught:
        notifier_for(receiver, settings).notify(make_message())

    assert not caught.value.is_permanent


@every_kind
def test_no_secret_is_told(kind: ReceiverKind, caplog: pytest.LogCaptureFixture) -> None:
    """Neither errors nor logs, not even at the finest level, hold what would let others in."""
    caplog.set_level(1)
    with world(kind, fails=1) as here:
        notifier = notifier_for(here.receiver, here.settings)
        with pytest.raises(DeliveryError) as caught:
            notifier.notify(make_message())
        receipt = notifier.notify(make_message())
        receiver, settings = here.receiver, here.settings
    with pytest.raises(DeliveryError) as unreachable:
        notifier_for(receiver, settings).notify(make_message())

    told = [str(caught.value), str(unreachable.value), receipt.detail, repr(receiver), describe(receiver), caplog.text]
    for text in told:
        assert TOKEN not in text
        assert SECRET not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_table_knows_every_kind() -> None:
    """A kind that can be stored can be delivered to."""
    assert set(KINDS) == set(RECEIVER_KINDS)


def test_descriptions_show_where_a_receiver_leads() -> None:
    """Enough to know it again, no more."""
    url = "https://hooks.example.com/services/T0/B0/secret?key=1"

    assert describe(make_receiver("webhook", {"url": url, "secret": SECRET})) == "https://hooks.example.com"
    assert describe(make_receiver("apprise", {"url": "slack://a/b/c"})) == "slack://…"
    assert describe(make_receiver("email", {"to": ["a@x.org", "b@x.org"]})) == "a@x.org, b@x.org"
