from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from monitor.budgets.evaluate import Spend
from monitor.budgets.model import Matcher, Scope
from monitor.control.store import Control
from monitor.jobs.budgets import evaluate_budgets
from tests.factories_alerts import FakeClock, add_webhook, make_spend, open_control


class FakeLedger:
    """Answers with the spend it is given, by scope text and by the day a period begins; notes what was asked."""

    def __init__(self) -> None:
        self.spends: dict[str, Spend] = {}
        self.asked: list[tuple[datetime, datetime]] = []

    def spend_of(self, scope: Scope, start: datetime, end: datetime) -> Spend:
        self.asked.append((start, end))
        return self.spends.get(" ".join(map(str, scope)) or f"{start:%m-%d}", make_spend("0"))


def add_budget(control: Control, *, scope: Scope = (), receivers: tuple[str, ...] = ("on-call",)) -> None:
    control.add_budget(
        name=f"budget {len(control.list_budgets())}",
        amount=Decimal(100),
        period="month",
        time_zone="UTC",
        scope=scope,
        receivers=receivers,
    )


def test_each_threshold_alerts_once(tmp_path: Path) -> None:
    """As the spend grows, each threshold is told when it is reached, and never again."""
    clock, ledger, new = FakeClock(), FakeLedger(), []
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        add_budget(control)
        for list_cost in ("0", "50", "60", "80", "99", "100", "5000"):
            ledger.spends["06-01"] = make_spend(list_cost)
            new.append(evaluate_budgets(control, ledger.spend_of, clock, None))
            clock.advance(seconds=10)

        assert new == [0, 1, 0, 1, 0, 1, 0]
        assert len(control.list_notifications()) == 3


def test_a_jump_over_all_thresholds_is_one_message(tmp_path: Path) -> None:
    """All three are stored; only the highest is told."""
    clock, ledger = FakeClock(), FakeLedger()
    ledger.spends["06-01"] = make_spend("120")
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        add_budget(control)
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 3

        (notification,) = control.list_notifications()
        told = {alert.labels["threshold"]: alert.inhibited_by for alert in control.list_alerts()}
        assert told == {"0.5": notification.alert_fingerprint, "0.8": notification.alert_fingerprint, "1": None}


def test_evaluation_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """What was told before a crash is known after it."""
    clock, ledger = FakeClock(), FakeLedger()
    ledger.spends["06-01"] = make_spend("60")
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        add_budget(control)
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 1
    with open_control(tmp_path, clock) as control:
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 0


def test_each_budget_asks_for_its_own_scope(tmp_path: Path) -> None:
    """The spend of one team does not alert for another."""
    clock, ledger = FakeClock(), FakeLedger()
    ledger.spends["team=search"] = make_spend("60")
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        for team in ("search", "ads"):
            add_budget(control, scope=(Matcher.parse(f"team={team}"),))
        assert evaluate_budgets(control, ledger.spend_of, clock, "https://x.example") == 1

        (alert,) = control.list_alerts()
        assert (alert.annotations["scope"], alert.annotations["dashboard_url"]) == ("team=search", "https://x.example")


def test_a_new_period_alerts_anew(tmp_path: Path) -> None:
    """The alert of June is over in July, and July has its own."""
    clock, ledger = FakeClock(), FakeLedger()
    ledger.spends["06-01"] = ledger.spends["07-01"] = make_spend("60")
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        add_budget(control)
        evaluate_budgets(control, ledger.spend_of, clock, None)
        clock.now = datetime(2026, 7, 1, tzinfo=UTC)

        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 1
        assert [alert.state for alert in control.list_alerts()] == ["firing", "resolved"]


def test_calls_that_arrive_late_alert_for_the_period_before(tmp_path: Path) -> None:
    """The last day of June may come in on the first of July; that June's budget was used up is told all the same."""
    clock, ledger = FakeClock(), FakeLedger()
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        add_budget(control)
        clock.now = datetime(2026, 7, 1, 0, 5, tzinfo=UTC)
        ledger.spends["06-01"] = make_spend("100")
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 3

        clock.advance(seconds=10)
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 0
        assert {alert.state for alert in control.list_alerts()} == {"resolved"}
        assert len(control.list_notifications()) == 1


def test_a_new_budget_looks_back_to_the_start_of_its_period_only(tmp_path: Path) -> None:
    """What was spent this month counts, what was spent before the budget's first month does not."""
    clock, ledger = FakeClock(), FakeLedger()
    with open_control(tmp_path, clock) as control:
        add_budget(control, receivers=())
        evaluate_budgets(control, ledger.spend_of, clock, None)

    assert ledger.asked == [(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))]


def test_a_changed_amount_is_judged_anew(tmp_path: Path) -> None:
    """With twice the amount the old alert is over, and the new version speaks for itself."""
    clock, ledger = FakeClock(), FakeLedger()
    ledger.spends["06-01"] = make_spend("100")
    with open_control(tmp_path, clock) as control:
        add_webhook(control)
        add_budget(control)
        evaluate_budgets(control, ledger.spend_of, clock, None)
        control.replace_budget("budget 0", amount=Decimal(200))
        evaluate_budgets(control, ledger.spend_of, clock, None)

        firing = [alert for alert in control.list_alerts() if alert.state == "firing"]
        assert [(alert.labels["threshold"], alert.labels["budget_version"]) for alert in firing] == [("0.5", "2")]


def test_unpriced_spend_alerts_nobody_and_is_not_zero(tmp_path: Path) -> None:
    """As soon as something is priced, the alert says how many are not."""
    clock, ledger = FakeClock(), FakeLedger()
    ledger.spends["06-01"] = make_spend(None, requests=10, unpriced_requests=10)
    with open_control(tmp_path, clock) as control:
        add_budget(control, receivers=())
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 0
        ledger.spends["06-01"] = make_spend("50", requests=10, unpriced_requests=4)
        assert evaluate_budgets(control, ledger.spend_of, clock, None) == 1
        assert "not counting 4 requests without a price" in control.list_alerts()[0].summary
