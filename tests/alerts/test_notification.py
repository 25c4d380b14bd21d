import dataclasses
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.alerts.notification import delay_of, mail_of, short_text, title_of, webhook_body
from monitor.alerts.sample import sample_message
from monitor.alerts.wording import counted, span, usd
from monitor.budgets.model import Matcher
from tests.factories_alerts import NOW, make_alert, make_budget, make_message, make_plain_alert

EVIL = "<img src=x onerror=alert(1)>&\"'"


def test_the_webhook_body_holds_everything() -> None:
    """A program gets identity, text and exact amounts, without asking back."""
    alert = make_alert(public_url="https://x.example")
    body = json.loads(webhook_body(make_message(alert=alert)))

    assert body["type"] == "alert.firing"
    assert body["timestamp"] == "2026-06-17T12:00:00Z"
    assert body["data"]["labels"] == dict(alert.labels)
    assert body["data"]["annotations"] == dict(alert.annotations)
    assert body["data"]["fingerprint"] == alert.fingerprint
    assert body["data"]["ends_at"] == "2026-07-01T00:00:00Z"
    assert isinstance(body["data"]["annotations"]["list_cost"], str)


def test_the_webhook_body_is_small() -> None:
    """Standard Webhooks asks for less than 20 kB."""
    scope = (Matcher(dimension="team", values=tuple(f"team-{number}" for number in range(5000))),)

    assert len(webhook_body(make_message(alert=make_alert(budget=make_budget(scope=scope))))) < 20_000


@pytest.mark.parametrize(
    ("late", "delay"),
    [
        (timedelta(minutes=15), None),
        (timedelta(minutes=16), "delayed by 16 minutes"),
        (timedelta(hours=2, minutes=5), "delayed by 2 hours 5 minutes"),
        (timedelta(days=1, minutes=5), "delayed by 1 day 5 minutes"),
    ],
)
def test_a_late_message_says_so(late: timedelta, delay: str | None) -> None:
    """Nobody should take an old alert for a new one."""
    assert delay_of(make_message(sent_at=NOW + late)) == delay


def test_the_delay_stands_in_every_form() -> None:
    """JSON, subject, text, HTML and push message all tell it."""
    message = make_message(sent_at=NOW + timedelta(hours=3))
    mail = mail_of(message)

    for text in (webhook_body(message).decode(), mail.subject, mail.text, mail.html, short_text(message)):
        assert "delayed by 3 hours" in text


def test_html_is_escaped() -> None:
    """A budget or scope named like HTML stays text in the mail."""
    budget = make_budget(name=EVIL, scope=(Matcher(dimension="team", values=(EVIL,)),))
    html = mail_of(make_message(alert=make_alert(budget=budget))).html

    assert "<img" not in html
    assert "&lt;img src=x" in html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x"])
def test_only_web_addresses_become_links(url: str) -> None:
    """A link in a mail leads to a web page or is not there."""
    mail = mail_of(make_message(alert=make_alert(public_url=url)))

    assert url not in mail.html
    assert url not in mail.text


def test_the_subject_is_one_short_line() -> None:
    """No text of an alert can add a header or fill a screen."""
    alert = dataclasses.replace(make_plain_alert(), annotations={"summary": "a\r\nBcc: x@example.com " + "b" * 500})
    subject = mail_of(make_message(alert=alert)).subject

    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) < 250


def test_subjects_tell_how_bad_it_is() -> None:
    """A person sees it in the list of mails already."""
    assert title_of(make_message(alert=make_alert(threshold="1"))) == "[CRITICAL] Budget search: 81% used"
    assert title_of(make_message()) == "[WARNING] Budget search: 81% used"
    assert title_of(make_message(alert=make_plain_alert())) == "[WARNING] Alert a."


def test_a_sample_says_that_it_is_one() -> None:
    """A test can never be taken for an alert."""
    message = sample_message("on-call", message_id="msg_1", now=NOW)

    assert title_of(message).startswith("[TEST]")
    assert "This is a test" in mail_of(message).text
    assert json.loads(webhook_body(message))["type"] == "alert.test"


def test_the_mail_draws_how_much_is_used() -> None:
    """81 % used is a bar of which 81 % are filled."""
    html = mail_of(make_message()).html

    assert 'style="width:81%' in html
    assert 'style="width:19%' in html


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234.5", "$1,234.50"), ("0", "$0.00"), ("0.000042", "$0.000042"), ("-3", "-$3.00"), ("1E+3", "$1,000.00")],
)
def test_money_reads_as_dollars(amount: str, text: str) -> None:
    """Cents from one cent up, six decimals below."""
    assert usd(Decimal(amount)) == text


def test_counts_and_spans_read_as_words() -> None:
    """Singular and plural are told apart."""
    assert counted(1, "request") == "1 request"
    assert counted(1204, "request") == "1,204 requests"
    assert span(timedelta(seconds=59)) == "less than a minute"
