import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from standardwebhooks import Webhook

from monitor.alerts.model import Message, Receiver
from monitor.control.outbox import LEASE
from monitor.control.store import Control
from monitor.errors import DeliveryError
from monitor.health import Health
from monitor.jobs.delivery import NotifierOf, deliver_due
from monitor.notifiers.model import Notifier, Receipt
from monitor.notifiers.registry import notifier_for
from monitor.notifiers.webhook import webhook_config
from monitor.settings import Settings
from tests.factories_alerts import FakeClock, add_webhook, make_plain_alert, open_control
from tests.receivers import Answer, HttpReceiver

ROOT = Path(__file__).parents[2]


def real(receiver: Receiver) -> Notifier:
    return notifier_for(receiver, Settings(home=Path("unused")))


def deliver(control: Control, clock: FakeClock, notifier_of: NotifierOf = real, *, health: Health | None = None) -> int:
    return deliver_due(control, notifier_of, clock=clock, health=health or Health(), random=lambda: 0.5)


class Told:
    """A notifier that does what it is told, for each message."""

    def __init__(self, act: Callable[[Message], None]) -> None:
        self._act = act

    def notify(self, message: Message) -> Receipt:
        self._act(message)
        return Receipt(status=None, detail="ok")


def test_an_alert_arrives_signed_and_once(tmp_path: Path) -> None:
    """From the store to the receiver, over a real connection; and the outbox knows."""
    clock = FakeClock(datetime.now(UTC))
    secret = webhook_config(url="https://example.com")["secret"]
    with HttpReceiver() as place, open_control(tmp_path, clock) as control:
        control.add_receiver(name="a", kind="webhook", config={"url": place.url, "secret": secret})
        control.raise_alerts([make_plain_alert()], ["a"])
        health = Health()
        assert deliver(control, clock, health=health) == 1
        assert deliver(control, clock, health=health) == 0

        (posted,) = place.posted
        (notification,) = control.list_notifications()
        (attempt,) = control.list_attempts(notification.id)
    Webhook(secret).verify(posted.body, posted.headers)
    assert posted.headers["webhook-id"] == notification.id
    assert (notification.state, notification.delivered_at) == ("delivered", clock())
    assert (attempt.outcome, attempt.status, attempt.detail) == ("delivered", 200, "ok")
    assert health.counts() == {"notifications_delivered_total": 1}


def test_a_receiver_that_fails_twice_gets_it_in_the_end(tmp_path: Path) -> None:
    """0 s, 5 s, 30 s: the third attempt succeeds, with the same id."""
    clock, health = FakeClock(), Health()
    with HttpReceiver(Answer(500), Answer(503)) as place, open_control(tmp_path, clock) as control:
        add_webhook(control, url=place.url)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        delivered = []
        for wait in (0, 4, 1, 29, 1):
            clock.advance(seconds=wait)
            delivered.append(deliver(control, clock, health=health))
        ids = [posted.headers["webhook-id"] for posted in place.posted]
        outcomes = [attempt.outcome for attempt in control.list_attempts(ids[0])]

    assert delivered == [0, 0, 0, 0, 1]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert outcomes == ["retry", "retry", "delivered"]
    assert health.counts()["notifications_failed_total"] == 2


def test_retry_after_is_respected(tmp_path: Path) -> None:
    """A receiver that asks for ten minutes gets them."""
    clock = FakeClock()
    with HttpReceiver(Answer(429, headers={"retry-after": "600"})) as place, open_control(tmp_path, clock) as control:
        add_webhook(control, url=place.url)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        deliver(control, clock)

        assert control.list_notifications()[0].next_attempt_at == clock() + timedelta(minutes=10)


def test_a_final_refusal_ends_it(tmp_path: Path) -> None:
    """404 is not tried again, and stays to be seen."""
    clock = FakeClock()
    with HttpReceiver(Answer(404, b"no such hook")) as place, open_control(tmp_path, clock) as control:
        add_webhook(control, url=place.url)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        deliver(control, clock)
        clock.advance(days=1)
        deliver(control, clock)

        assert len(place.posted) == 1
        (notification,) = control.list_notifications()
        assert notification.state == "failed"
        assert "404: no such hook" in str(notification.last_error)


def test_410_disables_the_receiver(tmp_path: Path) -> None:
    """A place that is gone is left in peace."""
    clock = FakeClock()
    with HttpReceiver(Answer(410)) as place, open_control(tmp_path, clock) as control:
        add_webhook(control, url=place.url)
        control.raise_alerts([make_plain_alert("a"), make_plain_alert("b")], ["on-call"])
        deliver(control, clock)
        deliver(control, clock)

        assert len(place.posted) == 1
        assert control.get_receiver("on-call").disabled_at == clock()


def test_it_is_given_up_visibly_after_three_days(tmp_path: Path) -> None:
    """A receiver that never comes back ends as expired, after many attempts."""
    clock = FakeClock()

    def fail(_: Message) -> None:
        raise DeliveryError("down", is_permanent=False)

    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        for _ in range(40):
            deliver(control, clock, lambda _: Told(fail))
            clock.advance(hours=2)
        (notification,) = control.list_notifications()
        outcomes = [attempt.outcome for attempt in control.list_attempts(notification.id)]

    assert notification.state == "expired"
    assert outcomes == ["retry"] * (len(outcomes) - 1) + ["expired"]
    assert len(outcomes) > 10


def test_a_server_that_was_down_for_a_week_still_tells_it(tmp_path: Path) -> None:
    """What was never tried is not expired by waiting; it says how late it is."""
    clock = FakeClock()
    with HttpReceiver() as place, open_control(tmp_path, clock) as control:
        add_webhook(control, url=place.url)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        clock.advance(days=7)
        assert deliver(control, clock) == 1
        assert b"delayed by 7 days" in place.posted[0].body


def test_what_kills_its_worker_again_and_again_expires(tmp_path: Path) -> None:
    """A message that was claimed, never settled, and is too old is not tried for ever."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        control.claim_due(now=clock(), owner="killed", limit=1)
        clock.advance(days=4)
        deliver(control, clock)

        assert control.list_notifications()[0].state == "expired"


def test_a_broken_notifier_is_counted_and_stops_nobody(tmp_path: Path) -> None:
    """Its fault, whatever it is, fails its own notification only, and its text is not stored."""
    clock, health = FakeClock(), Health()

    def act(message: Message) -> None:
        if message.alert.labels["alertname"] == "bad":
            raise ZeroDivisionError("with a secret in it")

    with open_control(tmp_path, clock) as control:
        for name in ("bad", "good"):
            add_webhook(control, name)
            control.raise_alerts([make_plain_alert(name)], [name])
        assert deliver(control, clock, lambda _: Told(act), health=health) == 1

        found = {notification.receiver: notification for notification in control.list_notifications()}
        assert (found["good"].state, found["bad"].state) == ("delivered", "pending")
        assert found["bad"].last_error == "The notifier broke with ZeroDivisionError."
        assert health.counts()["notifications_failed_total"] == 1


def test_a_receiver_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """While one answers nothing, all messages of the other arrive."""
    clock = FakeClock()
    others = threading.Semaphore(0)
    waited: list[bool] = []

    def act(message: Message) -> None:
        if message.alert.labels["alertname"].startswith("slow"):
            # It answers only when everything else has been delivered; alone it would wait in vain.
            waited.append(all(others.acquire(timeout=10) for _ in range(5)))
        else:
            others.release()

    with open_control(tmp_path, clock) as control:
        add_webhook(control, "slow")
        add_webhook(control, "fast")
        control.raise_alerts([make_plain_alert("slow")], ["slow"])
        control.raise_alerts([make_plain_alert(f"fast {number}") for number in range(5)], ["fast"])
        assert deliver(control, clock, lambda _: Told(act)) == 6
    assert waited == [True]


def test_a_receiver_that_fails_is_asked_once_in_a_run(tmp_path: Path) -> None:
    """A hundred messages for a dead receiver do not mean a hundred timeouts in a row."""
    clock = FakeClock()
    asked: list[str] = []

    def fail(message: Message) -> None:
        asked.append(message.id)
        raise DeliveryError("down", is_permanent=False)

    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_plain_alert(str(number)) for number in range(10)], ["on-call"])
        deliver(control, clock, lambda _: Told(fail))
    assert len(asked) == 1


def test_a_worker_killed_after_sending_sends_again_with_the_same_id(tmp_path: Path) -> None:
    """SIGKILL between sending and marking: the message comes a second time, and can be recognised."""
    clock = FakeClock(datetime.now(UTC))
    with HttpReceiver() as place, open_control(tmp_path, clock) as control:
        add_webhook(control, url=place.url)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        command = [sys.executable, "-m", "tests.jobs.killed_worker", str(tmp_path / "control.sqlite")]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "sent\n"
            worker.send_signal(signal.SIGKILL)
        clock.now = datetime.now(UTC)
        assert deliver(control, clock) == 0
        clock.now += LEASE
        assert deliver(control, clock) == 1

        first, second = (posted.headers["webhook-id"] for posted in place.posted)
        (notification,) = control.list_notifications()
    assert first == second == notification.id
    assert (notification.state, notification.attempts) == ("delivered", 2)
