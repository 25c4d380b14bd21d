"""Runs `monitor price` as a user would, in a data directory of its own."""

from pathlib import Path

from typer.testing import CliRunner

from monitor.cli.price import app
from monitor.home import Home
from monitor.records import Record
from tests.cli.commands import spooled
from tests.world import put_new_ledger


def price(home: Path, *words: str, status: int = 0, columns: int = 80) -> str:
    """What the command says, on a screen of that width."""
    ended = CliRunner().invoke(app, list(words), env={"MONITOR_HOME": str(home), "COLUMNS": str(columns)})
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == status, ended.output
    return ended.output


def home_of(directory: Path, *records: Record) -> Path:
    """The data directory of a program that made these requests."""
    path = spooled(directory, *records)
    put_new_ledger(Home(path))
    return path


def row_id(said: str) -> str:
    """The id at the beginning of what a command said."""
    return said.partition(":")[0]


def cells(said: str, first: str) -> list[str]:
    """The words of the line of a table that begins so."""
    (line,) = (line for line in said.splitlines() if line.split()[:1] == [first])
    return line.split()
