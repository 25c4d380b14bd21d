from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.budgets.model import Matcher
from monitor.control.store import Control
from monitor.errors import ControlError
from tests.factories_alerts import FakeClock, add_webhook, make_alert, open_control


def add(control: Control, name: str = "search", *, amount: str = "100", receivers: tuple[str, ...] = ()) -> None:
    control.add_budget(name=name, amount=Decimal(amount), period="month", time_zone="UTC", receivers=receivers)


def test_a_budget_comes_back_as_it_was_given(tmp_path: Path) -> None:
    """Every field survives the store and another opening of it."""
    scope = (Matcher.parse("team=search,ads"), Matcher(dimension="call_site", values=("a, b=c",), is_negated=True))
    with open_control(tmp_path) as control:
        add_webhook(control)
        given_budget = control.add_budget(
            name="search",
            amount=Decimal("100.10"),
            period="week",
            time_zone="Europe/Berlin",
            scope=scope,
            thresholds=(Decimal("0.333333333333333333333"), Decimal(1)),
            receivers=("on-call",),
        )
    with open_control(tmp_path) as control:
        assert control.list_budgets() == (given_budget,)


amounts = st.decimals(Decimal("0.000001"), Decimal(999999999999), places=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(amount=amounts)
def test_money_keeps_every_digit(tmp_path_factory: pytest.TempPathFactory, amount: Decimal) -> None:
    """No amount passes through a float."""
    with open_control(tmp_path_factory.mktemp("money")) as control:
        add(control, amount=str(amount))
        assert str(control.list_budgets()[0].amount) == str(amount)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    """The second budget of a name is refused by name."""
    with open_control(tmp_path) as control:
        add(control)
        with pytest.raises(ControlError, match="There is a budget called 'search' already"):
            add(control)


def test_unknown_receivers_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    """A slip in a receiver's name shows at once, not when the alert is due."""
    with open_control(tmp_path) as control:
        add_webhook(control, "on-call")
        with pytest.raises(ControlError, match="no receiver called 'oncall'; the receivers are: 'on-call'"):
            add(control, receivers=("oncall",))
        assert control.list_budgets() == ()


def test_a_change_is_a_new_version(tmp_path: Path) -> None:
    """What is not changed stays; id and name too."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add(control)
        (before,) = control.list_budgets()
        clock.advance(hours=1)
        after = control.replace_budget("search", amount=Decimal(200))

        assert (after.id, after.name, after.version, after.created_at) == (before.id, "search", 2, clock())
        assert (after.amount, after.thresholds) == (Decimal(200), before.thresholds)
        assert control.list_budgets() == (after,)


def test_a_change_that_cannot_be_leaves_the_budget(tmp_path: Path) -> None:
    """A refused change changes nothing."""
    with open_control(tmp_path) as control:
        add(control)
        before = control.list_budgets()
        with pytest.raises(ControlError):
            control.replace_budget("search", amount=Decimal(-1))
        with pytest.raises(ControlError):
            control.replace_budget("search", receivers=("nobody",))
        assert control.list_budgets() == before


def test_a_removed_budget_frees_its_name(tmp_path: Path) -> None:
    """The next budget of that name is another one."""
    with open_control(tmp_path) as control:
        add(control)
        (first,) = control.list_budgets()
        control.remove_budget("search")
        assert control.list_budgets() == ()
        add(control)
        assert control.list_budgets()[0].id != first.id


def test_an_unknown_budget_is_named_with_the_known_ones(tmp_path: Path) -> None:
    """Removing or changing what is not there helps with the names that are."""
    with open_control(tmp_path) as control:
        add(control)
        for action in (control.remove_budget, control.replace_budget):
            with pytest.raises(ControlError, match="no budget called 'serach'; the budgets are: 'search'"):
                action("serach")


@pytest.mark.parametrize("action", ["change", "remove"])
def test_the_alerts_of_a_version_end_with_it(tmp_path: Path, action: str) -> None:
    """What no longer holds does not fire."""
    clock = FakeClock()
    with open_control(tmp_path, clock) as control:
        add(control)
        control.raise_alerts([make_alert(budget=control.list_budgets()[0])], [])
        clock.advance(hours=1)
        if action == "remove":
            control.remove_budget("search")
        else:
            control.replace_budget("search", amount=Decimal(500))

        (alert,) = control.list_alerts()
        assert (alert.state, alert.ends_at) == ("resolved", clock())
