from decimal import Decimal
from pathlib import Path

import pytest

from monitor.errors import ControlError
from tests.factories_alerts import add_webhook, make_plain_alert, open_control


def test_a_receiver_comes_back_as_it_was_given(tmp_path: Path) -> None:
    """Its configuration survives the store."""
    with open_control(tmp_path) as control:
        receiver = control.add_receiver(name="mail", kind="email", config={"to": ["a@example.com"]})
        assert control.list_receivers() == (receiver,)
        assert control.get_receiver("mail") == receiver


def test_a_receiver_does_not_show_its_secrets(tmp_path: Path) -> None:
    """Neither a log line nor a traceback that holds one tells its configuration."""
    with open_control(tmp_path) as control:
        add_webhook(control)
        assert "whsec_" not in repr(control.list_receivers())


def test_a_receiver_name_is_taken_once(tmp_path: Path) -> None:
    """The second receiver of a name is refused by name."""
    with open_control(tmp_path) as control:
        add_webhook(control)
        with pytest.raises(ControlError, match="receiver called 'on-call' already"):
            add_webhook(control)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    """A kind without notifier would fail only when the alert is due."""
    with open_control(tmp_path) as control, pytest.raises(ControlError, match="'pigeon' is not a kind"):
        control.add_receiver(name="x", kind="pigeon", config={})


def test_a_receiver_that_a_budget_notifies_stays(tmp_path: Path) -> None:
    """The budget would alert into the void, so it is named."""
    with open_control(tmp_path) as control:
        add_webhook(control)
        control.add_budget(name="search", amount=Decimal(1), period="day", time_zone="UTC", receivers=("on-call",))
        with pytest.raises(ControlError, match="'on-call' is notified by: 'search'"):
            control.remove_receiver("on-call")
        control.remove_budget("search")
        control.remove_receiver("on-call")
        assert control.list_receivers() == ()


def test_what_waits_for_a_removed_receiver_is_given_up_visibly(tmp_path: Path) -> None:
    """It does not wait for ever, and does not vanish."""
    with open_control(tmp_path) as control:
        add_webhook(control)
        control.raise_alerts([make_plain_alert()], ["on-call"])
        control.remove_receiver("on-call")

        (notification,) = control.list_notifications()
        assert (notification.state, notification.last_error) == ("failed", "The receiver was removed.")


def test_asking_for_an_unknown_receiver_lists_the_known(tmp_path: Path) -> None:
    """As with budgets."""
    with open_control(tmp_path) as control:
        with pytest.raises(ControlError, match="the receivers are: none yet"):
            control.get_receiver("x")
        add_webhook(control)
        for action in (control.get_receiver, control.remove_receiver, control.enable_receiver):
            with pytest.raises(ControlError, match="the receivers are: 'on-call'"):
                action("x")
