import base64
import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.model import RefusedError
from monitor.notifiers.webhook import WebhookNotifier, webhook_config
from tests.factories_alerts import NOW, make_message
from tests.receivers import Answer, HttpReceiver

SECRET = webhook_config(url="https://example.com")["secret"]


def post(*answers: Answer, sent_at: datetime = NOW) -> RefusedError:
    """Post one message to a receiver that refuses it."""
    with HttpReceiver(*answers) as receiver, pytest.raises(RefusedError) as caught:
        WebhookNotifier(url=f"{receiver.url}/hook", secret=SECRET).notify(make_message(sent_at=sent_at))
    return caught.value


def test_the_signature_is_what_others_expect() -> None:
    """The `standardwebhooks` package, which is not ours, takes it."""
    message = make_message(message_id="msg_42", created_at=datetime.now(UTC))
    with HttpReceiver() as receiver:
        WebhookNotifier(url=f"{receiver.url}/hook?a=b", secret=SECRET).notify(message)
        (posted,) = receiver.posted

    body = Webhook(SECRET).verify(posted.body, posted.headers)
    assert body["data"]["fingerprint"] == message.alert.fingerprint
    assert posted.headers["webhook-id"] == "msg_42"
    assert posted.headers["content-type"] == "application/json"
    assert posted.path == "/hook?a=b"


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_what_was_changed_on_the_way_does_not_verify(part: str) -> None:
    """Id, time, body and secret are all under the signature."""
    with HttpReceiver() as receiver:
        WebhookNotifier(url=receiver.url, secret=SECRET).notify(make_message(created_at=datetime.now(UTC)))
        (posted,) = receiver.posted
    headers, body, secret = dict(posted.headers), posted.body, SECRET
    if part == "body":
        body = body.replace(b"81", b"18")
    elif part == "secret":
        secret = webhook_config(url="https://example.com")["secret"]
    else:
        headers[part] = headers[part][:-1] + ("1" if headers[part][-1] != "1" else "2")

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_a_second_attempt_has_the_same_id_and_its_own_time() -> None:
    """The receiver knows a repeated message by its id, and accepts it because its time is new."""
    first = datetime.now(UTC) - timedelta(hours=1)
    with HttpReceiver() as receiver:
        notifier = WebhookNotifier(url=receiver.url, secret=SECRET)
        for sent_at in (first, datetime.now(UTC)):
            notifier.notify(make_message(created_at=first, sent_at=sent_at))
        early, late = receiver.posted

    assert early.headers["webhook-id"] == late.headers["webhook-id"]
    assert early.headers["webhook-timestamp"] != late.headers["webhook-timestamp"]
    assert json.loads(early.body)["timestamp"] == json.loads(late.body)["timestamp"]
    Webhook(SECRET).verify(late.body, late.headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    """Only 2xx is."""
    with HttpReceiver(Answer(status, b"")) as receiver:
        assert WebhookNotifier(url=receiver.url, secret=SECRET).notify(make_message()).status == status


@pytest.mark.parametrize(
    ("status", "is_permanent", "is_gone"),
    [
        (301, False, False),
        (400, True, False),
        (401, True, False),
        (404, True, False),
        (408, False, False),
        (410, True, True),
        (425, False, False),
        (429, False, False),
        (500, False, False),
        (502, False, False),
        (503, False, False),
    ],
)
def test_which_answers_are_final(status: int, is_permanent: bool, is_gone: bool) -> None:
    """What our message did wrong stays wrong; what the other side suffers from passes."""
    error = post(Answer(status))

    assert (error.status, error.is_permanent, error.is_gone) == (status, is_permanent, is_gone)


def test_redirects_are_not_followed() -> None:
    """A signed message does not wander to an address that nobody configured."""
    with HttpReceiver() as elsewhere:
        error = post(Answer(307, headers={"location": elsewhere.url}))
        assert elsewhere.posted == []
    assert "redirects are not followed" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300.0),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), None),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str, seconds: float | None) -> None:
    """Both forms of the standard; anything else is as if it were not there."""
    error = post(Answer(429, headers={"retry-after": header.encode("utf-8").decode("latin-1")}), sent_at=NOW)

    assert error.retry_after == seconds


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    """Of an answer, 64 KB are read and 1 KB is kept."""
    with HttpReceiver(Answer(200, b"x" * 50_000_000)) as receiver:
        receipt = WebhookNotifier(url=receiver.url, secret=SECRET).notify(make_message())

    assert receipt.detail == "x" * 1024


def test_an_answer_that_trickles_in_is_given_up_in_time() -> None:
    """A byte now and then keeps every read timeout from ending it; the total does."""
    with (
        HttpReceiver(Answer(200, drip=True)) as receiver,
        pytest.raises(DeliveryError, match=r"within 0\.5 s") as caught,
    ):
        WebhookNotifier(url=receiver.url, secret=SECRET, total_timeout=0.5).notify(make_message())

    assert not caught.value.is_permanent


def test_a_place_that_accepts_and_says_nothing_is_given_up_in_time() -> None:
    """The connection stands, and no answer ever comes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        notifier = WebhookNotifier(url=url, secret=SECRET, total_timeout=0.3)
        with pytest.raises(DeliveryError, match="did not answer"):
            notifier.notify(make_message())


def test_the_answer_is_made_fit_to_be_shown() -> None:
    """Control characters, marks that turn the writing around, and keys that were echoed are taken out."""
    answer = "fine\x1b[31m\u202e and sk-proj-abcdefghijklmnop\r\nBearer abc.def"
    with HttpReceiver(Answer(200, answer.encode())) as receiver:
        receipt = WebhookNotifier(url=receiver.url, secret=SECRET).notify(make_message())

    assert receipt.detail == "fine[31m and [hidden] [hidden]"


def test_each_receiver_gets_a_secret_of_its_own() -> None:
    """Random, `whsec_` and the base64 of at least 24 bytes."""
    secrets = {webhook_config(url="https://example.com")["secret"] for _ in range(20)}

    assert len(secrets) == 20
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) >= 24 for secret in secrets)


@pytest.mark.parametrize("secret", ["abc", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!" + "A" * 32, "whsec_ü" + "A" * 32])
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    """The text of the error may end in a log, so it does not hold the secret."""
    with pytest.raises(ControlError, match="24 to 64 random bytes") as caught:
        webhook_config(url="https://example.com", secret=secret)

    assert secret == "whsec_" or secret not in str(caught.value)


@pytest.mark.parametrize("url", ["", "example.com", "ftp://x.org", "https://", "https://me:pw@x.org/", "file:///etc"])
def test_other_addresses_are_refused(url: str) -> None:
    """A webhook is http or https, and its address holds no password."""
    with pytest.raises(ControlError, match="needs an address like"):
        webhook_config(url=url)
