from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from monitor.budgets.parsing import parse_amount, parse_threshold
from monitor.cli.budget import app
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.errors import ControlError
from tests.factories_alerts import add_webhook


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"MONITOR_HOME": str(home), "COLUMNS": "200"})


def open_home(home: Path) -> Control:
    home.mkdir(mode=0o700, exist_ok=True)
    return Control.open(home / "control.sqlite", system_clock)


def test_a_budget_is_added_as_the_options_say(tmp_path: Path) -> None:
    """Every option reaches the store."""
    with open_home(tmp_path / "home") as control:
        add_webhook(control)
    words = "add search --amount 100.50 --period week --where team=search,ads --where model!=gpt-4o --threshold 100%"
    more = "--threshold 0.8 --time-zone Europe/Berlin --notify on-call"
    result = run(tmp_path / "home", *words.split(), *more.split())

    assert result.exit_code == 0, result.output
    with open_home(tmp_path / "home") as control:
        (budget,) = control.list_budgets()
    assert (budget.amount, budget.period, budget.time_zone) == (Decimal("100.50"), "week", "Europe/Berlin")
    assert budget.thresholds == (Decimal("0.8"), Decimal(1))
    assert list(map(str, budget.scope)) == ["team=search,ads", "model!=gpt-4o"]
    assert budget.receivers == ("on-call",)


def test_a_webhook_becomes_a_receiver_of_its_own(tmp_path: Path) -> None:
    """The budget notifies it, and the secret that is shown is the one that signs."""
    result = run(tmp_path, "add", "search", "--amount", "100", "--webhook", "https://hooks.example.com/spend")

    assert result.exit_code == 0, result.output
    with open_home(tmp_path) as control:
        (budget,), (receiver,) = control.list_budgets(), control.list_receivers()
    assert budget.receivers == (receiver.name,)
    assert receiver.config["url"] == "https://hooks.example.com/spend"
    assert receiver.config["secret"] in result.output


def test_a_refused_budget_leaves_no_receiver(tmp_path: Path) -> None:
    """Neither is there when the budget cannot be."""
    result = run(tmp_path, "add", "search", "--amount", "-1", "--webhook", "https://hooks.example.com/spend")

    assert isinstance(result.exception, ControlError)
    with open_home(tmp_path) as control:
        assert (control.list_budgets(), control.list_receivers()) == ((), ())


def test_budgets_are_listed_changed_and_removed(tmp_path: Path) -> None:
    """The whole life of a budget, with no receiver and the defaults."""
    assert "no budget yet" in run(tmp_path, "list").output
    run(tmp_path, "add", "[b]search[/b]", "--amount", "100")
    listed = run(tmp_path, "list").output
    assert "[b]search[/b]" in listed
    assert "50%, 80%, 100%" in listed
    assert "$250.00" in run(tmp_path, "edit", "[b]search[/b]", "--amount", "$250").output
    assert "$250.00" in run(tmp_path, "list").output
    assert run(tmp_path, "remove", "[b]search[/b]").exit_code == 0
    assert "no budget yet" in run(tmp_path, "list").output


@pytest.mark.parametrize(
    "options", ["--amount x", "--amount -1", "--amount 1 --period year", "--amount 1 --where tema=a", "--amount 1e99"]
)
def test_what_cannot_be_is_an_error_of_the_program(tmp_path: Path, options: str) -> None:
    """The command raises the sentence; the program prints it and exits."""
    result = run(tmp_path, "add", "search", *options.split())

    assert isinstance(result.exception, ControlError)


@pytest.mark.parametrize(("text", "value"), [("80%", "0.8"), ("0.8", "0.8"), ("100 %", "1"), ("112.5%", "1.125")])
def test_thresholds_are_percent_or_fraction(text: str, value: str) -> None:
    """Both are read exactly."""
    assert parse_threshold(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "%", "many", "80%%", "8o%"])
def test_other_thresholds_are_refused(text: str) -> None:
    """With the text that was given."""
    with pytest.raises(ControlError, match="is not a threshold"):
        parse_threshold(text)


def test_amounts_may_carry_a_dollar_sign() -> None:
    """As people write them."""
    assert parse_amount("$99.50") == Decimal("99.50")
    with pytest.raises(ControlError, match="'ninety' is not an amount"):
        parse_amount("ninety")
