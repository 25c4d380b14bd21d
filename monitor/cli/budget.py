"""`monitor budget`: add, list, change and remove budgets."""

from decimal import Decimal
from typing import Annotated, Final

import typer

from monitor.alerts.model import Receiver
from monitor.alerts.wording import local_time, usd
from monitor.budgets.model import DEFAULT_THRESHOLDS, Budget, Matcher, Scope, describe_scope, parse_period
from monitor.budgets.parsing import parse_amount, parse_threshold
from monitor.budgets.periods import period_of
from monitor.cli.context import load_settings, open_control, print_table
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.errors import ControlError
from monitor.notifiers.webhook import webhook_config
from monitor.pricing.figures import exact

app = typer.Typer(no_args_is_help=True, help="Amounts that you want to hear about before they are spent.")

_PERCENT: Final = 100

NameArgument = Annotated[str, typer.Argument(help="Name of the budget.")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(help="Which calls count: team=search, team=search,ads or model!=gpt-4o. Repeatable: all must hold."),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option(help="When to alert: 80% or 0.8 of the amount. Repeatable. New budgets: 50%, 80%, 100%."),
]
ZoneOption = Annotated[str | None, typer.Option(help="Time zone of the period, such as Europe/Berlin.")]
NotifyOption = Annotated[list[str] | None, typer.Option(help="Receiver of its alerts. Repeatable.")]


@app.command()
def add(
    name: NameArgument,
    *,
    amount: Annotated[str, typer.Option(help="Amount in USD.")],
    period: Annotated[str, typer.Option(help="day, week (from Monday) or month.")] = "month",
    where: WhereOption = None,
    threshold: ThresholdOption = None,
    time_zone: ZoneOption = None,
    notify: NotifyOption = None,
    webhook: Annotated[
        str | None, typer.Option(help="Address that gets its alerts as signed JSON; becomes a receiver of its own.")
    ] = None,
) -> None:
    """Add a budget."""
    with open_control() as control:
        made = _webhook_receiver(control, name, webhook) if webhook else None
        try:
            budget = control.add_budget(
                name=name,
                amount=parse_amount(amount),
                period=parse_period(period),
                time_zone=time_zone or load_settings().time_zone,
                scope=_scope(where or []),
                thresholds=_thresholds(threshold) if threshold else DEFAULT_THRESHOLDS,
                receivers=_receivers([*(notify or []), *([made.name] if made else [])]),
            )
        except ControlError:
            if made:
                control.remove_receiver(made.name)
            raise
    _print_one("Added", budget)
    if made:
        typer.echo(f"Its alerts go to the receiver {made.name!r}, signed with this secret, shown only now:")
        typer.echo(made.config["secret"])


def _webhook_receiver(control: Control, budget: str, url: str) -> Receiver:
    return control.add_receiver(name=f"{budget} webhook", kind="webhook", config=webhook_config(url=url))


@app.command()
def edit(
    name: NameArgument,
    *,
    amount: Annotated[str | None, typer.Option(help="New amount in USD.")] = None,
    period: Annotated[str | None, typer.Option(help="day, week (from Monday) or month.")] = None,
    where: WhereOption = None,
    threshold: ThresholdOption = None,
    time_zone: ZoneOption = None,
    notify: NotifyOption = None,
) -> None:
    """Change a budget from now on; what is not given stays as it is."""
    with open_control() as control:
        budget = control.replace_budget(
            name,
            amount=None if amount is None else parse_amount(amount),
            period=None if period is None else parse_period(period),
            time_zone=time_zone,
            scope=_scope(where) if where else None,
            thresholds=_thresholds(threshold) if threshold else None,
            receivers=_receivers(notify) if notify else None,
        )
    _print_one("Changed", budget)


@app.command("list")
def list_() -> None:
    """List the budgets."""
    with open_control() as control:
        budgets = control.list_budgets()
    if not budgets:
        typer.echo("There is no budget yet. Add one: monitor budget add NAME --amount 100")
        return
    rows = []
    for budget in budgets:
        who = ", ".join(budget.receivers) or "nobody"
        what = describe_scope(budget.scope)
        rows.append((budget.name, usd(budget.amount), budget.period, budget.time_zone, what, _shares(budget), who))
    print_table(("Name", "Amount", "Period", "Time zone", "Counts", "Alerts at", "Notifies"), rows)


@app.command()
def remove(name: NameArgument) -> None:
    """Remove a budget; the alerts it raised stay in the history."""
    with open_control() as control:
        control.remove_budget(name)
    typer.echo(f"Removed budget {name!r}.")


def _thresholds(texts: list[str]) -> tuple[Decimal, ...]:
    return tuple(sorted({parse_threshold(text) for text in texts}))


def _scope(texts: list[str]) -> Scope:
    return tuple(Matcher.parse(text) for text in texts)


def _receivers(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _shares(budget: Budget) -> str:
    return ", ".join(f"{exact(threshold * _PERCENT)}%" for threshold in budget.thresholds)


def _print_one(done: str, budget: Budget) -> None:
    end = period_of(budget.period, budget.time_zone, system_clock()).end
    who = ", ".join(budget.receivers) or "nobody; its alerts are only shown"
    typer.echo(
        f"{done} budget {budget.name!r}: {usd(budget.amount)} per {budget.period} for {describe_scope(budget.scope)}, "
        f"alerts at {_shares(budget)}, notifies {who}. "
        f"The period runs until {local_time(end, budget.time_zone)}."
    )
