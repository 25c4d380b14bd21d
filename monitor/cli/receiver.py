"""`monitor receiver`: where alerts are sent."""

from typing import Annotated, Any

import typer

from monitor.alerts.model import Message, Receiver, ReceiverKind
from monitor.alerts.sample import sample_message
from monitor.cli.context import load_settings, open_control, print_table
from monitor.clock import system_clock
from monitor.control.alerts import new_message_id
from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.apprise import apprise_config
from monitor.notifiers.email import email_config
from monitor.notifiers.registry import describe, notifier_for
from monitor.notifiers.webhook import webhook_config

app = typer.Typer(no_args_is_help=True, help="Where alerts are sent: webhooks, mail, and all that Apprise speaks.")

NameArgument = Annotated[str, typer.Argument(help="Name of the receiver.")]


@app.command()
def add(
    name: NameArgument,
    webhook: Annotated[str | None, typer.Option(help="Address that gets signed JSON.")] = None,
    secret: Annotated[str | None, typer.Option(help="Secret of the webhook, whsec_…; made when not given.")] = None,
    email: Annotated[list[str] | None, typer.Option(help="Mail address. Repeatable.")] = None,
    apprise: Annotated[str | None, typer.Option(help="Apprise URL: Slack, Teams, PagerDuty, ntfy, …")] = None,
) -> None:
    """Add a receiver; exactly one of --webhook, --email and --apprise says of which kind."""
    kind, config = _configured(webhook=webhook, secret=secret, email=email, apprise=apprise)
    with open_control() as control:
        receiver = control.add_receiver(name=name, kind=kind, config=config)
    typer.echo(f"Added receiver {name!r} ({kind}, {describe(receiver)}). Try it: monitor receiver test {name!r}")
    if kind == "webhook" and secret is None:
        typer.echo("Its secret, shown only now; keep it where the webhook is received:")
        typer.echo(config["secret"])
        typer.echo("Verify each message with it: docs/alerts.md shows how, or see https://www.standardwebhooks.com")


@app.command("list")
def list_() -> None:
    """List the receivers, without their secrets."""
    with open_control() as control:
        receivers = control.list_receivers()
    if not receivers:
        typer.echo("There is no receiver yet. Add one: monitor receiver add NAME --email you@example.com")
        return
    rows = [(receiver.name, receiver.kind, describe(receiver), _state(receiver)) for receiver in receivers]
    print_table(("Name", "Kind", "Leads to", "State"), rows)


@app.command()
def remove(name: NameArgument) -> None:
    """Remove a receiver that no budget notifies."""
    with open_control() as control:
        control.remove_receiver(name)
    typer.echo(f"Removed receiver {name!r}.")


@app.command()
def enable(name: NameArgument) -> None:
    """Notify a receiver again that was disabled because it had answered 410 Gone."""
    with open_control() as control:
        control.enable_receiver(name)
    typer.echo(f"Receiver {name!r} is notified again.")


@app.command()
def test(name: NameArgument) -> None:
    """Send a sample now and say what the other side answered; exit code 1 if it did not take it."""
    with open_control() as control:
        receiver = control.get_receiver(name)
    message = sample_message(name, message_id=new_message_id(), now=system_clock())
    if not _send(receiver, message):
        raise typer.Exit(1)


def _send(receiver: Receiver, message: Message) -> bool:
    try:
        receipt = notifier_for(receiver, load_settings()).notify(message)
    except DeliveryError as error:
        typer.echo(f"Receiver {receiver.name!r} did not take the sample {message.id}: {error}")
        return False
    answer = receipt.detail if receipt.status is None else f"{receipt.status} {receipt.detail}".rstrip()
    typer.echo(f"Receiver {receiver.name!r} took the sample {message.id} and answered: {answer}")
    return True


def _configured(
    *, webhook: str | None, secret: str | None, email: list[str] | None, apprise: str | None
) -> tuple[ReceiverKind, dict[str, Any]]:
    given = [option for option in (webhook, email, apprise) if option]
    if len(given) != 1:
        raise ControlError("A receiver is of one kind: give exactly one of --webhook, --email and --apprise.")
    if secret is not None and webhook is None:
        raise ControlError("Only a webhook has a --secret.")
    if webhook:
        return "webhook", dict(webhook_config(url=webhook, secret=secret))
    if email:
        return "email", dict(email_config(email))
    return "apprise", dict(apprise_config(apprise or ""))


def _state(receiver: Receiver) -> str:
    return "on" if receiver.disabled_at is None else f"disabled: {receiver.disabled_reason}"
