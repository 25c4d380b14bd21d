from decimal import Decimal

import pytest

from monitor.alerts.budget_alert import alerts_of, from_crossing
from monitor.budgets.model import Matcher
from tests.factories_alerts import NOW, FakeClock, make_alert, make_budget, make_crossing


def test_the_summary_says_all_at_once() -> None:
    """What happened, how much of how much, for which calls, until when: one sentence."""
    budget = make_budget(time_zone="Europe/Berlin", scope=(Matcher.parse("team=search"),))
    alert = from_crossing(make_crossing(budget=budget, list_cost="81.239"), now=NOW, public_url=None)

    assert alert.summary == (
        "Budget 'search' has used 81% of its $100.00 for June 2026 ($81.23 for team=search); "
        "the period runs until 2026-07-01 00:00 Europe/Berlin."
    )


def test_requests_without_a_price_are_never_silent() -> None:
    """Where the figure is too low, the sentence itself says so, and what to do about it is said too."""
    alert = from_crossing(make_crossing(unpriced_requests=1), now=NOW, public_url=None)

    assert "not counting 1 request without a price;" in alert.summary
    assert "models without a price" in alert.annotations["action"]


def test_money_is_cut_off_never_rounded_up() -> None:
    """$99.999 of $100 does not read as used up."""
    alert = from_crossing(make_crossing(list_cost="99.999"), now=NOW, public_url=None)

    assert "99%" in alert.summary
    assert "$99.99" in alert.summary


def test_exact_amounts_stand_in_the_annotations() -> None:
    """Programs get every digit, as decimal strings."""
    crossing = make_crossing(budget=make_budget(amount="1E+2"), list_cost="81.2000000001")
    alert = from_crossing(crossing, now=NOW, public_url=None)

    assert (alert.annotations["amount"], alert.annotations["list_cost"]) == ("100", "81.2000000001")


@pytest.mark.parametrize(("threshold", "severity"), [("0.5", "warning"), ("0.99", "warning"), ("1", "critical")])
def test_a_used_up_budget_is_critical(threshold: str, severity: str) -> None:
    """Below the amount it is a warning."""
    assert make_alert(threshold=threshold).severity == severity


def test_equal_facts_make_one_alert() -> None:
    """The figure may grow between two looks; the alert stays the same one."""
    budget = make_budget()
    earlier = from_crossing(make_crossing(budget=budget, list_cost="81"), now=NOW, public_url=None)
    later = from_crossing(make_crossing(budget=budget, list_cost="95"), now=NOW, public_url="https://x.example")

    assert earlier.fingerprint == later.fingerprint
    assert len(earlier.fingerprint) <= 64


def test_version_period_and_threshold_make_other_alerts() -> None:
    """Each of them is part of the identity."""
    clock = FakeClock()
    clock.advance(days=30)
    alerts = [
        make_alert(),
        make_alert(threshold="0.5"),
        make_alert(budget=make_budget(version=2)),
        make_alert(now=clock()),
    ]

    assert len({alert.fingerprint for alert in alerts}) == 4


def test_a_threshold_written_otherwise_is_the_same_one() -> None:
    """0.8 and 0.80 are one threshold."""
    assert make_alert(threshold="0.8").fingerprint == make_alert(threshold="0.80").fingerprint


def test_only_the_highest_threshold_speaks() -> None:
    """Spend that jumps over three thresholds at once is told once; the others are there, inhibited."""
    budget = make_budget()
    crossings = [make_crossing(budget=budget, threshold=text, list_cost="120") for text in ("0.5", "0.8", "1")]
    low, middle, high = alerts_of(crossings, now=NOW, public_url=None)

    assert high.inhibited_by is None
    assert (low.inhibited_by, middle.inhibited_by) == (high.fingerprint, high.fingerprint)


def test_a_crossing_noticed_after_its_period_is_told_in_the_past() -> None:
    """Calls that arrive late may cross a threshold of a month that is over."""
    clock = FakeClock()
    clock.advance(days=20)
    crossing = make_crossing()
    alert = from_crossing(crossing, now=clock(), public_url=None)

    assert alert.summary.startswith("Budget 'search' had used 81%")
    assert "the period ended on 2026-07-01 00:00 UTC" in alert.summary
    assert alert.starts_at == alert.ends_at == crossing.period.end


def test_a_huge_scope_is_cut() -> None:
    """A webhook body stays small, whatever the scope."""
    scope = (Matcher(dimension="team", values=tuple(f"team-{number}" for number in range(1000))),)
    alert = from_crossing(make_crossing(budget=make_budget(scope=scope)), now=NOW, public_url=None)

    assert len(alert.summary) < 1000


def test_no_crossing_is_no_alert() -> None:
    """Nothing reached, nothing raised."""
    assert alerts_of([], now=NOW, public_url=None) == ()


def test_the_dashboard_is_linked_where_it_is_known() -> None:
    """Without a public address there is no link that leads nowhere."""
    assert make_alert(public_url="https://x.example").annotations["dashboard_url"] == "https://x.example"
    assert "dashboard_url" not in make_alert().annotations


def test_a_threshold_beyond_the_amount_is_possible() -> None:
    """Who wants to hear at 150 % can."""
    alert = from_crossing(make_crossing(threshold="1.5", list_cost="150"), now=NOW, public_url=None)

    assert Decimal(alert.labels["threshold"]) == Decimal("1.5")
    assert "used 150% of its $100.00" in alert.summary
