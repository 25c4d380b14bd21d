"""Runs commands as a user would, in a data directory of their own."""

import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner, Result

from monitor.cli import ledger
from monitor.cli.doctor import doctor
from monitor.cli.report import report
from monitor.cli.show import show
from monitor.cli.storage import storage
from monitor.cli.whatif import whatif
from monitor.health import Health
from monitor.home import Home
from monitor.records import Record
from monitor.spool.writer import SpoolWriter

_app = typer.Typer()
_app.command()(report)
_app.command()(show)
_app.command()(doctor)
_app.command()(whatif)
_app.command()(storage)
_app.add_typer(ledger.app, name="ledger")


def run(home: Path, *words: str, **environ: str) -> Result:
    """The outcome of a command; a fault of the user's is its `exception`."""
    return CliRunner().invoke(_app, list(words), env={"MONITOR_HOME": str(home), "COLUMNS": "200", **environ})


def answer(home: Path, *words: str) -> dict[str, Any]:
    """What `report --json` says about a day in November."""
    found: dict[str, Any] = json.loads(day(home, *words, "--json").stdout)
    return found


def day(home: Path, *words: str) -> Result:
    """A report of the day of `NOW`."""
    result = run(home, "report", "--since", "2026-11-20", "--until", "2026-11-21", *words)
    assert result.exception is None
    return result


def spooled(directory: Path, *records: Record) -> Path:
    """The data directory of a program that made these requests; no server ever ran on it."""
    home = Home(directory / "home")
    home.create()
    writer = SpoolWriter(home.spool, segment_size=2**25, health=Health())
    for record in records:
        writer.end(record)
    writer.close()
    return home.path
