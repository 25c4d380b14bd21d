"""Alerts that go on for as long as a job says so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from monitor.alerts.model import Alert, Firing
from monitor.control.store import Control
from tests.factories_alerts import NOW, FakeClock, add_webhook, make_plain_alert, open_control

_RULE = "test"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        yield control


def _alert(name: str = "a", **changes: object) -> Alert:
    return replace(make_plain_alert(name), **({"ends_at": NOW + timedelta(hours=1)} | changes))  # type: ignore[arg-type]


def _states(control: Control) -> dict[str, str]:
    return {alert.labels["alertname"]: alert.state for alert in control.list_alerts()}


def test_exactly_the_alerts_that_are_held_fire(control: Control, clock: FakeClock) -> None:
    """Those of the rule that are not named any more are resolved now; other rules are left alone."""
    control.raise_alerts([_alert("other", rule="another")], ())
    control.hold_alerts(_RULE, [Firing(alert=_alert("a")), Firing(alert=_alert("b"))], ())
    clock.advance(minutes=5)
    control.hold_alerts(_RULE, [Firing(alert=_alert("b"))], ())

    assert _states(control) == {"a": "resolved", "b": "firing", "other": "firing"}
    assert {alert.ends_at for alert in control.list_alerts() if alert.state == "resolved"} == {clock.now}


def test_a_known_alert_says_what_is_new_and_notifies_nobody_again(control: Control) -> None:
    """Also when it had ended."""
    new = [control.hold_alerts(_RULE, [Firing(alert=_alert())], ["on-call"])]
    control.hold_alerts(_RULE, [], ["on-call"])
    again = _alert(annotations={"summary": "More."}, ends_at=NOW + timedelta(hours=2))
    new.append(control.hold_alerts(_RULE, [Firing(alert=again)], ["on-call"]))

    (alert,) = control.list_alerts()
    assert (alert.state, alert.summary, alert.ends_at) == ("firing", "More.", NOW + timedelta(hours=2))
    assert (new, len(control.list_notifications())) == ([1, 0], 1)


def test_what_is_not_told_notifies_nobody(control: Control) -> None:
    """It is stored all the same."""
    control.hold_alerts(_RULE, [Firing(alert=_alert(), is_told=False)], ["on-call"])

    assert (len(control.list_alerts()), control.list_notifications()) == (1, ())


def test_an_alert_and_its_message_are_stored_together_or_not_at_all(control: Control) -> None:
    """What fails in the middle leaves nothing, so that the next look tells it."""
    broken = _alert("b", annotations={"summary": object()})
    with pytest.raises(StatementError):
        control.hold_alerts(_RULE, [Firing(alert=_alert("a")), Firing(alert=broken)], ["on-call"])

    assert (control.list_alerts(), control.list_notifications()) == ((), ())


def test_a_receiver_that_is_not_there_is_told_with_the_message(control: Control) -> None:
    """A name may be misspelt in the settings."""
    control.hold_alerts(_RULE, [Firing(alert=_alert())], ["nobody"])

    assert [(one.state, one.last_error) for one in control.list_notifications()] == [
        ("failed", "The receiver was removed.")
    ]


def test_alerts_of_a_rule_are_those_that_fire_or_ended_lately(control: Control, clock: FakeClock) -> None:
    """Neither older ones nor those of other rules."""
    control.raise_alerts([_alert("other", rule="another")], ())
    control.hold_alerts(_RULE, [Firing(alert=_alert("old"))], ())
    control.hold_alerts(_RULE, [], ())
    clock.advance(days=2)
    control.hold_alerts(_RULE, [Firing(alert=_alert("a")), Firing(alert=_alert("b"))], ())
    control.hold_alerts(_RULE, [Firing(alert=_alert("b"))], ())

    found = control.alerts_of_rule(_RULE, since=clock.now - timedelta(hours=1))
    assert {alert.labels["alertname"] for alert in found} == {"a", "b"}
