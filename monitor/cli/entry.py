"""The command `monitor`."""

import os
import sys
from typing import Annotated

import typer

import monitor
from monitor.cli import budget, demo, doctor, importing, ledger, price, receiver, report, run, show, storage, up, whatif
from monitor.errors import MonitorError

app = typer.Typer(
    name="monitor",
    help="Know what every OpenAI API call costs, and see trouble before the bill or the users do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(report.report)
app.command()(show.show)
app.command()(whatif.whatif)
app.command()(storage.storage)
app.command()(doctor.doctor)
app.add_typer(budget.app, name="budget")
app.add_typer(receiver.app, name="receiver")
app.add_typer(price.app, name="price")
app.add_typer(importing.app, name="import")
app.add_typer(ledger.app, name="ledger")


@app.command("run", context_settings={"ignore_unknown_options": True, "help_option_names": []}, help=run.HELP)
def _run(words: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    run.run(words or [], os.environ)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"openai-monitor {monitor.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Know what every OpenAI API call costs, and see trouble before the bill or the users do."""


def main() -> None:
    """Run the command; a fault of the user's becomes one sentence and the exit status 2."""
    try:
        app()
    except MonitorError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).splitlines()))
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
