"""From a budget that is crossed to the message in somebody's hands, over the death of the server in between."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

from standardwebhooks import Webhook

from monitor.alerts.outbox import Notification
from monitor.alerts.wording import usd
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.demo.history import write_history
from monitor.health import Health
from monitor.home import Home
from monitor.spool.writer import SpoolWriter
from tests.flow.running import DEADLINE, Server, monitor, report
from tests.receivers import Answer, HttpReceiver, MailReceiver, eventually, mail_server

_TEAM = "checkout"
_QUICK = {"MONITOR_BUDGET_INTERVAL": "0.2", "MONITOR_DELIVERY_INTERVAL": "0.2"}
_LATER = "3600"


@dataclass
class Place:
    """A data directory with three days of a company behind it, and where its alerts go to."""

    home: Path
    web: HttpReceiver
    mail: MailReceiver
    secret: str
    settings: dict[str, str]

    def server(self, **more: str) -> Server:
        return Server(
            self.home, more=self.settings | _QUICK | {f"MONITOR_{name}": value for name, value in more.items()}
        )

    def notifications(self) -> tuple[Notification, ...]:
        with Control.open(Home(self.home).control, system_clock) as control:
            return control.list_notifications()

    def wait_for(self, state: str, attempts: int) -> None:
        """Wait until both notifications stand so."""
        goal = [(state, attempts)] * 2
        assert eventually(
            lambda: [(one.state, one.attempts) for one in self.notifications()] == goal, within=DEADLINE
        ), self.notifications()


@contextmanager
def _place(tmp_path: Path) -> Iterator[Place]:
    home = Home(tmp_path / "home")
    home.create()
    writer = SpoolWriter(home.spool, segment_size=2**25, health=Health())
    write_history(writer, now=datetime.now(UTC), days=3, seed=7, secret=home.secret())
    writer.close()
    with HttpReceiver() as web, mail_server(MailReceiver()) as mail:
        settings = {"MONITOR_SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "MONITOR_SMTP_FROM": "monitor@example.com"}
        added = monitor("receiver", "add", "ops", "--webhook", f"{web.url}/alerts?key=hidden", home=home.path)
        secret = next(line for line in added.out.splitlines() if line.startswith("whsec_"))
        mailed = monitor("receiver", "add", "team", "--email", "lead@example.com", home=home.path)
        assert (added.status, mailed.status) == (0, 0)
        yield Place(home.path, web, mail, secret, settings)


def _add_budget(place: Place) -> Decimal:
    """A budget of this month that is spent to nine tenths, of which one hears at 80 %; returns what is spent."""
    spent = Decimal(report(place.home, "--since", "month", "--where", f"team={_TEAM}")["total"]["list_cost"])
    amount = (spent / Decimal("0.9")).quantize(Decimal("0.01"))
    ended = monitor(
        *("budget", "add", "Checkout", "--amount", str(amount), "--where", f"team={_TEAM}", "--threshold", "80%"),
        *("--notify", "ops", "--notify", "team"),
        home=place.home,
    )
    assert ended.status == 0, ended.err
    return spent


def _look_again(place: Place) -> None:
    """Let another server look at budgets and outbox a few times."""
    with place.server() as server:
        server.wait_for_runs("budgets", 2)
        server.wait_for_runs("delivery", 2)


def _text(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_an_alert_outlives_a_server_that_dies_before_it_is_sent(tmp_path: Path) -> None:
    """Stored with its notifications, it is sent by the next server: once by webhook, once by mail, and never again."""
    with _place(tmp_path) as place:
        spent = _add_budget(place)
        with place.server(DELIVERY_INTERVAL=_LATER) as server:
            place.wait_for("pending", 0)
            server.killed()
        assert (place.web.posted, place.mail.mailed) == ([], [])
        with place.server() as server:
            place.wait_for("delivered", 1)
            server.killed()
        _look_again(place)
        (posted,), (mailed,) = place.web.posted, place.mail.mailed

        Webhook(place.secret).verify(posted.body, posted.headers)
        body = json.loads(posted.body)
        assert (body["type"], body["data"]["state"]) == ("alert.firing", "firing")
        assert (body["data"]["labels"]["budget"], posted.path) == ("Checkout", "/alerts?key=hidden")
        assert "Checkout" in body["data"]["annotations"]["summary"]
        assert usd(spent) in body["data"]["annotations"]["summary"]
        assert (mailed.sender, mailed.recipients) == ("monitor@example.com", ["lead@example.com"])
        assert "Checkout" in mailed.mail["subject"]
        assert usd(spent) in _text(mailed.mail, "plain")
        assert "<html" in _text(mailed.mail, "html")
        assert "Checkout" in _text(mailed.mail, "html")
        place.wait_for("delivered", 1)


def test_what_was_refused_before_a_death_is_sent_again_with_its_id(tmp_path: Path) -> None:
    """Both places refuse until the server is killed; the next one delivers, and the receiver sees the same id."""
    with _place(tmp_path) as place:
        place.web.answers.extend([Answer(503)] * 100)
        place.mail.answers.extend(["451 Not now"] * 100)
        _add_budget(place)
        with place.server() as server:
            place.wait_for("pending", 1)
            server.killed()
        place.web.answers.clear()
        place.mail.answers.clear()
        refused = len(place.web.posted)
        with place.server() as server:
            place.wait_for("delivered", 2)
            server.killed()
        _look_again(place)

        # The mail server, too, was handed the mail at the attempt that it refused.
        assert (refused, len(place.web.posted), len(place.mail.mailed)) == (1, 2, 2)
        assert len({posted.headers["webhook-id"] for posted in place.web.posted}) == 1
        assert len({str(mailed.mail["message-id"]) for mailed in place.mail.mailed}) == 1
        for posted in place.web.posted:
            Webhook(place.secret).verify(posted.body, posted.headers)
