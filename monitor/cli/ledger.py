"""`monitor ledger`: what keeps the ledger safe and proves that it is right."""

from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from monitor.alerts.wording import counted
from monitor.cli import rescue
from monitor.cli.asking import ask_task
from monitor.cli.context import console, load_settings
from monitor.jobs.tasks import MOST_LINES

app = typer.Typer(no_args_is_help=True, help="Keep the ledger safe, mend it, and prove that it is right.")
app.command("backup")(rescue.back_up)
app.command("restore")(rescue.restore_backup)
app.command("recover")(rescue.recover_ledger)

_SHOWN: Final = 100
_AGREES: Final = "All of it agrees, to the last decimal."
_NOT_COMPARED: Final = (
    "Nothing was found to differ, but no day could be compared: of each day that has requests, others were let go of."
)


@app.command("check")
def check(
    recount: Annotated[
        bool, typer.Option("--recount", help="Make the sums of days that disagree with their requests anew.")
    ] = False,
) -> None:
    """Prove that nothing got lost or counted twice; exit status 1 if something does not agree."""
    found = ask_task(load_settings(), "check", {"recount": "yes"} if recount else {})
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, number in found["figures"].items():
        table.add_row(name.replace("…", "  of them"), f"{number:,}")
    console().print(table)
    if found["recounted"]:
        typer.echo(f"Counted anew: {', '.join(found['recounted'])}.")
    if found["first_day"]:
        typer.echo(
            f"The requests of {counted(found['days'], 'day')} from {found['first_day'][:10]} on were compared with all "
            "sums, and the sums with the reports."
        )
    if not found["faults"]:
        typer.echo(_AGREES if found["is_proof"] else _NOT_COMPARED)
        return
    typer.echo(f"{len(found['faults']):,} figures do not agree:")
    for fault in found["faults"]:
        _print_fault(fault)
    raise typer.Exit(1)


@app.command("quarantine")
def quarantine(
    limit: Annotated[int, typer.Option(min=1, max=MOST_LINES, help="How many lines to show, newest first.")] = 20,
) -> None:
    """List what could not be read of the spool: why, where, and how it begins."""
    found = ask_task(load_settings(), "quarantine", {"limit": str(limit)})
    if not found["total"]:
        typer.echo("The quarantine is empty: every line of the spool could be read.")
        return
    table = Table()
    for header in ("Found (UTC)", "Why", "File", "Byte", "Begins with"):
        table.add_column(header, overflow="fold")
    for line in found["lines"]:
        place = "–" if line["byte_offset"] is None else f"{line['byte_offset']:,}"
        begin = Text(_printable(line["line"][:_SHOWN]))
        table.add_row(line["seen_at"][:19].replace("T", " "), line["reason"], Text(line["file"]), place, begin)
    console().print(table)
    typer.echo(
        f"{found['total']:,} lines in all. After an upgrade, or with a mended file, monitor ledger retry tries again."
    )


@app.command("retry")
def retry() -> None:
    """Try again what could not be read: lines that this version can read, files that are mended; each counts once."""
    found = ask_task(load_settings(), "retry")
    typer.echo(f"{found['stored']:,} lines are stored now, {found['left']:,} stay in quarantine.")
    if found["left"]:
        typer.echo(
            "Lines with a wrong checksum stay until their file is whole again, or a whole copy of it lies on the "
            "spool: nobody knows which of their figures are wrong."
        )


def _print_fault(fault: dict[str, Any]) -> None:
    typer.echo(f"  {fault['what']}, {fault['where']}: {fault['one']}, {fault['other']}. {fault['mend']}.")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
