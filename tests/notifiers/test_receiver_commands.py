import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from monitor.cli.receiver import app
from monitor.errors import ControlError
from tests.receivers import Answer, HttpReceiver, MailReceiver, mail_server

# Apprise loads its services on first use, and one of them imports a module that Python 3.13 dropped.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def run(home: Path, *words: str, **environ: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"MONITOR_HOME": str(home), "COLUMNS": "200", **environ})


def test_a_webhook_is_added_tested_and_verified_with_the_printed_secret(tmp_path: Path) -> None:
    """What was printed once is all that the other side needs."""
    with HttpReceiver(Answer(200, b"hello")) as place:
        added = run(tmp_path, "add", "hook", "--webhook", f"{place.url}/in")
        tested = run(tmp_path, "test", "hook")
        (posted,) = place.posted
    found = re.search(r"whsec_\S+", added.output)

    assert found is not None
    assert Webhook(found[0]).verify(posted.body, posted.headers)["type"] == "alert.test"
    assert tested.exit_code == 0
    assert "answered: 200 hello" in tested.output
    assert abs(int(posted.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60


def test_a_given_secret_is_not_printed(tmp_path: Path) -> None:
    """Who gave it knows it."""
    secret = "whsec_" + "A" * 32
    result = run(tmp_path, "add", "hook", "--webhook", "https://example.com", "--secret", secret)

    assert result.exit_code == 0
    assert "whsec_" not in result.output


def test_a_test_that_fails_says_why_and_exits_with_1(tmp_path: Path) -> None:
    """So that a script can tell."""
    with HttpReceiver(Answer(403, b"who are you?")) as place:
        run(tmp_path, "add", "hook", "--webhook", place.url)
        result = run(tmp_path, "test", "hook")

    assert result.exit_code == 1
    assert "answered 403: who are you?" in result.output


def test_mail_is_tested_over_the_server_of_the_settings(tmp_path: Path) -> None:
    """Several addresses get the sample, which says that it is one."""
    run(tmp_path, "add", "mail", "--email", "a@example.com", "--email", "b@example.com")
    with mail_server(MailReceiver()) as place:
        url = f"smtp://127.0.0.1:{place.port}"
        result = run(tmp_path, "test", "mail", MONITOR_SMTP_URL=url, MONITOR_SMTP_FROM="m@example.com")
        (mailed,) = place.mailed

    assert result.exit_code == 0
    assert mailed.recipients == ["a@example.com", "b@example.com"]
    assert mailed.mail["Subject"].startswith("[TEST]")


def test_lists_hold_no_secrets(tmp_path: Path) -> None:
    """Names, kinds and where they lead."""
    run(tmp_path, "add", "hook", "--webhook", "https://hooks.example.com/T0KEN?k=T0KEN")
    run(tmp_path, "add", "chat", "--apprise", "json://example.com/T0KEN")
    output = run(tmp_path, "list").output

    assert "https://hooks.example.com" in output
    assert "json://…" in output
    assert "T0KEN" not in output
    assert "whsec_" not in output


@pytest.mark.parametrize(
    "options",
    ["", "--webhook https://a.example --email a@b.org", "--email a@b.org --secret whsec_x", "--apprise nonsense"],
)
def test_a_receiver_is_of_exactly_one_kind(tmp_path: Path, options: str) -> None:
    """None, several, or options that do not go together are refused before anything is stored."""
    result = run(tmp_path, "add", "x", *options.split())

    assert isinstance(result.exception, ControlError)
    assert "no receiver yet" in run(tmp_path, "list").output


def test_receivers_are_removed_and_enabled_by_name(tmp_path: Path) -> None:
    """And a name that is not there is an error."""
    run(tmp_path, "add", "mail", "--email", "a@example.com")

    assert run(tmp_path, "enable", "mail").exit_code == 0
    assert run(tmp_path, "remove", "mail").exit_code == 0
    for command in ("enable", "remove", "test"):
        assert isinstance(run(tmp_path, command, "mail").exception, ControlError)
