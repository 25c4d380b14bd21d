import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.alerts.model import Message
from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.email import EmailNotifier, MailServer, email_config
from monitor.notifiers.model import Receipt, RefusedError
from monitor.settings import Settings
from tests.factories_alerts import NOW, make_alert, make_budget, make_message
from tests.receivers import MailReceiver, mail_server

PEM = Path(__file__).parent / "localhost.pem"


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    return context


def send(
    place: MailReceiver,
    *,
    message: Message | None = None,
    to: tuple[str, ...] = ("a@example.com",),
    scheme: str = "smtp",
    user: str = "",
    trusted: bool = True,
) -> Receipt:
    settings = Settings(
        home=Path("unused"),
        smtp_url=f"{scheme}://{user}127.0.0.1:{place.port}",
        smtp_from="Monitor <monitor@example.com>",
    )
    tls = ssl.create_default_context(cafile=PEM if trusted else None)
    notifier = EmailNotifier(server=MailServer.of(settings), to=to, tls=tls, timeout=5.0)
    return notifier.notify(message or make_message())


def test_the_mail_has_text_and_html_and_an_identity() -> None:
    """Both forms, a Message-ID from the notification, and a thread from the alert."""
    with mail_server(MailReceiver()) as place:
        send(place, message=make_message(message_id="msg_42"), to=("a@example.com", "b@example.org"))
        (mailed,) = place.mailed

    assert mailed.mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mailed.mail.iter_parts()] == ["text/plain", "text/html"]
    assert mailed.mail["Message-ID"] == "<msg_42@example.com>"
    assert mailed.mail["References"] == f"<{make_alert().fingerprint}@example.com>"
    assert mailed.mail["Subject"] == "[WARNING] Budget search: 81% used"
    assert mailed.mail["From"] == "Monitor <monitor@example.com>"
    assert mailed.mail["Auto-Submitted"] == "auto-generated"
    assert (mailed.sender, mailed.recipients) == ("monitor@example.com", ["a@example.com", "b@example.org"])


def test_all_attempts_are_one_mail_to_the_mail_program() -> None:
    """A mail that arrives twice has the same Message-ID."""
    with mail_server(MailReceiver()) as place:
        send(place)
        send(place, message=make_message(sent_at=NOW + timedelta(hours=1)))
        first, second = place.mailed

    assert first.mail["Message-ID"] == second.mail["Message-ID"]
    assert first.mail["Date"] != second.mail["Date"]


def test_no_name_can_add_a_header() -> None:
    """The subject is one line, whatever the alert is called; letters of all scripts survive."""
    budget = make_budget(name="Büdget \u2028Bcc: x@example.com")
    with mail_server(MailReceiver()) as place:
        send(place, message=make_message(alert=make_alert(budget=budget)))
        (mailed,) = place.mailed

    assert mailed.mail["Bcc"] is None
    assert mailed.mail["Subject"] == "[WARNING] Budget Büdget Bcc: x@example.com: 81% used"


@pytest.mark.parametrize(("answer", "is_permanent"), [("451 later", False), ("421 closing", False), ("554 no", True)])
def test_4xx_is_tried_again_and_5xx_is_final(answer: str, is_permanent: bool) -> None:
    """As SMTP means it; the number is kept."""
    with mail_server(MailReceiver(answer)) as place, pytest.raises(RefusedError) as caught:
        send(place)

    assert (caught.value.status, caught.value.is_permanent) == (int(answer[:3]), is_permanent)


def test_a_mail_that_nobody_may_get_fails() -> None:
    """Every address refused for good is final; while one may be taken later it is tried again."""
    to = ("a@example.com", "b@example.com")
    for answers, is_permanent in ((("550 no", "550 no"), True), (("550 no", "450 later"), False)):
        place = MailReceiver(refused=dict(zip(to, answers, strict=True)))
        with mail_server(place), pytest.raises(RefusedError) as caught:
            send(place, to=to)
        assert caught.value.is_permanent is is_permanent


def test_a_mail_that_some_may_not_get_is_a_visible_success() -> None:
    """Sending all of it again would only bring the others the same mail twice."""
    with mail_server(MailReceiver(refused={"b@example.com": "550 no"})) as place:
        receipt = send(place, to=("a@example.com", "b@example.com"))

    assert "not for 1 of 2 addresses" in receipt.detail


def test_starttls_is_used_when_offered() -> None:
    """Mail and password travel encrypted."""
    with mail_server(MailReceiver(), starttls=server_tls(), login=("me", "p w")) as place:
        send(place, user="me:p%20w@")
        (mailed,) = place.mailed

    assert mailed.was_encrypted
    assert mailed.user == "me"


def test_a_server_that_cannot_prove_itself_gets_nothing() -> None:
    """A certificate that is not trusted ends it before anything is said."""
    with mail_server(MailReceiver(), starttls=server_tls()) as place:
        with pytest.raises(DeliveryError, match="certificate") as caught:
            send(place, trusted=False)
        assert place.mailed == []
    assert not caught.value.is_permanent


def test_smtps_is_encrypted_from_the_start() -> None:
    """No STARTTLS is needed there."""
    with mail_server(MailReceiver(), smtps=server_tls()) as place:
        send(place, scheme="smtps")
        assert place.mailed[0].was_encrypted


def test_a_wrong_password_is_worth_another_try_and_is_not_told() -> None:
    """Somebody will mend the setting; the alert should still arrive."""
    with mail_server(MailReceiver(), login=("me", "right")) as place:
        with pytest.raises(RefusedError) as caught:
            send(place, user="me:wr0ngpassword@")
        assert place.mailed == []
    assert caught.value.status == 535
    assert not caught.value.is_permanent
    assert "wr0ngpassword" not in str(caught.value)


def test_a_server_that_echoes_the_password_is_not_quoted() -> None:
    """What the other side says goes into errors and the log, but not with our secret in it."""
    place = MailReceiver("554 no entry for hunter2secret")
    with mail_server(place, login=("me", "hunter2secret")), pytest.raises(RefusedError, match=r"entry for \[hidden\]"):
        send(place, user="me:hunter2secret@")


def test_a_password_is_not_sent_in_the_clear() -> None:
    """Except to this machine itself, a server without encryption gets no password."""
    with mail_server(MailReceiver(), login=("me", "pw")) as place:
        # Another name of this machine, which does not say so.
        server = MailServer.of(
            Settings(home=Path("unused"), smtp_url=f"smtp://me:pw@2130706433:{place.port}", smtp_from="a@example.com")
        )
        with pytest.raises(DeliveryError, match="the password is not sent"):
            EmailNotifier(server=server, to=["b@example.com"]).notify(make_message())


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    """The connection stands, and no greeting comes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        server = MailServer.of(Settings(home=Path("unused"), smtp_url=url, smtp_from="a@example.com"))
        with pytest.raises(DeliveryError, match="could not be used") as caught:
            EmailNotifier(server=server, to=["b@example.com"], timeout=0.3).notify(make_message())
    assert not caught.value.is_permanent


@pytest.mark.parametrize(
    ("smtp_url", "smtp_from", "missing"),
    [
        (None, "a@example.com", "MONITOR_SMTP_URL"),
        ("smtp://h", None, "MONITOR_SMTP_FROM"),
        ("smtp://h", "x", "MONITOR_SMTP_FROM"),
    ],
)
def test_a_missing_setting_is_named(smtp_url: str | None, smtp_from: str | None, missing: str) -> None:
    """And may be mended before the notification expires."""
    settings = Settings(home=Path("unused"), smtp_url=smtp_url, smtp_from=smtp_from)
    with pytest.raises(DeliveryError, match=missing) as caught:
        MailServer.of(settings)

    assert not caught.value.is_permanent


def test_the_user_of_the_server_is_the_sender_when_none_is_set() -> None:
    """Most servers want just that; the standard ports are filled in as well."""
    server = MailServer.of(Settings(home=Path("unused"), smtp_url="smtps://me%40example.com:pw@mail.example.com"))

    assert (server.sender.addr_spec, server.port) == ("me@example.com", 465)
    assert "pw" not in repr(server)


@pytest.mark.parametrize(
    "address", ["", "x", "a@", "@b", "a@b.org, c@d.org", "a@b.org\nBcc: c@d.org", "A <a@b.org>", "a b@c.org"]
)
def test_what_is_no_single_address_is_refused(address: str) -> None:
    """Each option is one plain address."""
    with pytest.raises(ControlError, match="is not a mail address"):
        email_config([address])


def test_an_address_counts_once() -> None:
    """Given twice, it gets one mail."""
    assert email_config(["a@b.org", "a@b.org", "c@d.org"]) == {"to": ["a@b.org", "c@d.org"]}
    with pytest.raises(ControlError, match="at least one"):
        email_config([])
