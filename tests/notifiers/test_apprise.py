import json
import logging

import pytest

from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.apprise import AppriseNotifier, apprise_config
from monitor.notifiers.quiet import quiet
from tests.factories_alerts import make_alert, make_message
from tests.receivers import Answer, HttpReceiver

# Apprise loads its services on first use, and one of them imports a module that Python 3.13 dropped.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_title_text_and_severity_reach_the_service() -> None:
    """Apprise's own JSON service shows what every service gets."""
    message = make_message(alert=make_alert(threshold="1", public_url="https://x.example"))
    with HttpReceiver() as receiver:
        AppriseNotifier(f"json://{receiver.url[7:]}").notify(message)
        (posted,) = receiver.posted

    body = json.loads(posted.body)
    assert body["title"] == "[CRITICAL] Budget search: 81% used"
    assert body["message"].startswith("Budget 'search' has used 81%")
    assert body["message"].endswith("https://x.example")
    assert body["type"] == "failure"


def test_the_reason_of_a_failure_is_told() -> None:
    """Apprise says only yes or no; what it wrote to its log says why."""
    with HttpReceiver(Answer(503)) as receiver, pytest.raises(DeliveryError, match="503") as caught:
        AppriseNotifier(f"json://{receiver.url[7:]}").notify(make_message())

    assert not caught.value.is_permanent


@pytest.mark.parametrize("url", ["", "nonsense", "pigeon://coop/secret-token", "slack://x"])
def test_a_url_that_apprise_does_not_know_is_refused_and_not_repeated(url: str) -> None:
    """It may hold a token, so the error does not show it."""
    with pytest.raises(ControlError, match="Apprise cannot use this URL") as caught:
        apprise_config(url)

    assert not url or url not in str(caught.value)


def test_a_url_that_is_no_longer_known_fails_for_good() -> None:
    """Trying again cannot help until somebody changes it."""
    with pytest.raises(DeliveryError, match="does not know pigeon") as caught:
        AppriseNotifier("pigeon://coop").notify(make_message())

    assert caught.value.is_permanent


def test_quiet_silences_only_its_own_context(caplog: pytest.LogCaptureFixture) -> None:
    """What the program itself does with the same library is logged as before."""
    noisy = logging.getLogger("tests.noisy")
    caplog.set_level(logging.DEBUG)
    with quiet("tests.noisy") as lines:
        noisy.debug("a")
        noisy.warning("b %s", 1)
    noisy.warning("c")

    assert lines == ["b 1"]
    assert caplog.messages == ["c"]
