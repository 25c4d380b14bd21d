import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from monitor.alerts.outbox import Attempt, Claim, Outcome
from monitor.control.outbox import LEASE
from monitor.control.store import Control
from tests.factories_alerts import NOW, FakeClock, add_webhook, make_alert, make_plain_alert, open_control


def attempt(outcome: Outcome = "delivered", *, detail: str = "ok") -> Attempt:
    return Attempt(at=NOW, outcome=outcome, status=200, duration=0.5, detail=detail)


def claim_one(control: Control, clock: FakeClock, owner: str = "me") -> Claim:
    (claim,) = control.claim_due(now=clock(), owner=owner, limit=1)
    return claim


def test_an_alert_is_stored_with_its_notifications(tmp_path: Path) -> None:
    """Alert and outbox are written together, one notification per receiver."""
    with open_control(tmp_path) as control:
        add_webhook(control, "a")
        add_webhook(control, "b")
        alert = make_alert()

        assert control.raise_alerts([alert], ["a", "b", "a"]) == 1
        assert control.list_alerts() == (alert,)
        assert sorted(found.receiver for found in control.list_notifications()) == ["a", "b"]


def test_a_known_alert_is_not_told_again(tmp_path: Path) -> None:
    """However often a rule is evaluated, its fingerprint alerts once."""
    with open_control(tmp_path) as control:
        add_webhook(control)
        assert control.raise_alerts([make_alert()], ["on-call"]) == 1
        assert control.raise_alerts([make_alert(), make_plain_alert()], ["on-call"]) == 1
        assert len(control.list_notifications()) == 2


def test_an_inhibited_alert_is_stored_and_not_told(tmp_path: Path) -> None:
    """It stands in the history with what speaks for it."""
    alert = dataclasses.replace(make_alert(), inhibited_by="f" * 32)
    with open_control(tmp_path) as control:
        add_webhook(control)
        control.raise_alerts([alert], ["on-call"])

        assert control.list_alerts()[0].inhibited_by == "f" * 32
        assert control.list_notifications() == ()


def test_a_claim_holds_what_is_to_be_sent(tmp_path: Path) -> None:
    """The message is the alert as it was raised, with the id of the outbox."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])
        claim = claim_one(control, clock)
        (notification,) = control.list_notifications()

        message = claim.message(clock())
        assert (message.id, message.alert, message.created_at) == (notification.id, make_alert(), clock())
        assert notification.id.startswith("msg_")
        assert (notification.state, notification.attempts) == ("sending", 1)


def test_a_claim_is_alone(tmp_path: Path) -> None:
    """What one worker holds no other gets, in another process neither."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control, open_control(tmp_path, clock) as other:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])
        claim_one(control, clock)
        clock.now += LEASE - timedelta(seconds=1)

        assert other.claim_due(now=clock(), owner="other", limit=9) == ()


def test_a_dead_workers_claim_is_taken_over_with_the_same_id(tmp_path: Path) -> None:
    """When the lease has ended, the message is due again and is still the same message."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])
        dead = claim_one(control, clock, "dead")
        clock.now += LEASE
        heir = claim_one(control, clock, "heir")

        assert (heir.notification_id, heir.attempts) == (dead.notification_id, 2)
        assert not control.delivered(dead, attempt())
        assert control.delivered(heir, attempt())
        assert control.list_notifications()[0].state == "delivered"


def test_one_receiver_gets_one_message_at_a_time_in_order(tmp_path: Path) -> None:
    """A receiver's messages are not sent at once, and leave as they came."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control, "a")
        add_webhook(control, "b")
        for name in ("first", "second"):
            control.raise_alerts([make_plain_alert(name)], ["a", "b"])
            clock.advance(seconds=1)
        claims = control.claim_due(now=clock(), owner="me", limit=9)

        assert sorted(claim.receiver.name for claim in claims) == ["a", "b"]
        assert {claim.alert.labels["alertname"] for claim in claims} == {"first"}


def test_receivers_can_be_left_out(tmp_path: Path) -> None:
    """A run does not come back to a receiver that has just failed."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])

        assert control.claim_due(now=clock(), owner="me", limit=9, except_receivers=("on-call",)) == ()


def test_a_failed_notification_waits_for_its_time(tmp_path: Path) -> None:
    """It is due again at the moment that was set, and not before."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])
        later = clock() + timedelta(seconds=5)
        control.failed(claim_one(control, clock), attempt("retry", detail="busy"), next_attempt_at=later)

        assert control.claim_due(now=clock(), owner="me", limit=1) == ()
        assert control.list_notifications()[0].last_error == "busy"
        clock.advance(seconds=5)
        assert claim_one(control, clock).attempts == 2


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_what_was_given_up_stays_visible(tmp_path: Path, state: Literal["failed", "expired"]) -> None:
    """Its end state and its last error are there to be read."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])
        control.gave_up(claim_one(control, clock), attempt(state, detail="no"), state=state)

        (notification,) = control.list_notifications()
        assert (notification.state, notification.last_error) == (state, "no")
        assert control.claim_due(now=clock() + timedelta(days=9), owner="me", limit=1) == ()


def test_a_gone_receiver_is_disabled_with_all_that_waits(tmp_path: Path) -> None:
    """After 410 Gone nothing more is sent there, until somebody enables it again."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_plain_alert("a"), make_plain_alert("b")], ["on-call"])
        claim = claim_one(control, clock)
        control.gave_up(claim, attempt("failed", detail="410"), state="failed", disable_receiver=True)
        control.raise_alerts([make_plain_alert("c")], ["on-call"])

        assert control.get_receiver("on-call").disabled_reason == "410"
        assert [found.state for found in control.list_notifications()] == ["failed"] * 3
        control.enable_receiver("on-call")
        control.raise_alerts([make_plain_alert("d")], ["on-call"])
        assert claim_one(control, clock).alert.labels["alertname"] == "d"


def test_every_attempt_is_in_the_log(tmp_path: Path) -> None:
    """When, how it ended, how long it took, what was answered."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        control.raise_alerts([make_alert()], ["on-call"])
        first, second = attempt("retry", detail="busy"), attempt()
        control.failed(claim_one(control, clock), first, next_attempt_at=clock())
        claim = claim_one(control, clock)
        control.delivered(claim, second)

        assert control.list_attempts(claim.notification_id) == (first, second)


def test_an_alert_resolves_at_its_end(tmp_path: Path) -> None:
    """A budget alert fires until its period ends, without anybody's doing."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        control.raise_alerts([make_alert(), make_plain_alert()], [])
        assert control.resolve_ended() == 0
        clock.advance(days=14)

        assert control.resolve_ended() == 1
        assert {alert.rule: alert.state for alert in control.list_alerts()} == {
            "budget_threshold": "resolved",
            "test": "firing",
        }
