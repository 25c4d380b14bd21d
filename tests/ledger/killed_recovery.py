"""Lets `monitor ledger recover` or `restore` die before each thing it does to files, and runs it again. Prints JSON.

Each run is a process that leaves by `os._exit`: nothing is closed, flushed or told by it.

python -m tests.ledger.killed_recovery HOME FOLDER FIRST STEP WORD…
"""

import contextlib
import io
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import typer

from monitor.cli import ledger as commands
from monitor.errors import LedgerError, MonitorError
from monitor.home import Home
from monitor.house import House
from monitor.ledger.check import check
from monitor.settings import Settings
from tests.flow.nursery import leave_after
from tests.ledger.damaged import rows_of

DIED: Final = 77
_TOUCHING: Final = {"os.rename", "os.link", "os.remove", "os.chmod", "sqlite3.connect"}
"""What Python tells of before it does it to a file; DuckDB's own work lies in between."""

_FOR_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT

_STAMP: Final = re.compile(r"\d{8}T\d{12}Z")
_GOING_ON: Final = re.compile(r"Going on with .*\n")


def _said(words: list[str]) -> str:
    """What the command tells, without the moments of its own."""
    told = io.StringIO()
    app = typer.Typer(pretty_exceptions_enable=False)
    app.add_typer(commands.app, name="ledger")
    with contextlib.redirect_stdout(told):
        try:
            app(["ledger", *words], standalone_mode=False)
        except MonitorError as error:
            told.write(f"error: {error}\n")
    return _GOING_ON.sub("", _STAMP.sub("STAMP", told.getvalue()))


def _counted(home: Path, words: list[str], dies_before: int | None) -> tuple[str, int]:
    """The same, and how many things it does to files of the data directory; gone before the n-th of them."""
    steps = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if _is_step(event, arguments, home):
            steps += 1
            if steps == dies_before:
                os._exit(DIED)

    sys.addaudithook(count)
    return _said(words), steps


def _is_step(event: str, arguments: tuple[Any, ...], home: Path) -> bool:
    """Whether it is worth dying before this: a look at the ledger, a change, or a segment that is read."""
    if event == "subprocess.Popen":
        return True
    if not arguments or not str(arguments[0]).startswith(str(home)):
        return False
    is_opened = event == "open" and (arguments[2] & _FOR_WRITING or str(arguments[0]).endswith(".ndjson"))
    return bool(is_opened) or event in _TOUCHING


def _opened(home: Path) -> str:
    """What any other command finds after the death."""
    try:
        House(Settings(home=home)).close()
    except LedgerError as error:
        return str(error)
    return "opens"


def _held(home: Path) -> dict[str, Any]:
    """All that the stores hold, and every file there is, under names without the moments of the work."""
    with House(Settings(home=home)) as house:
        faults = [str(fault) for fault in check(house.ledger).faults]
        rows = {name: [str(row) for row in found] for name, found in rows_of(house.ledger).items()}
        budgets = [budget.name for budget in house.control.list_budgets()]
    return {"rows": rows, "faults": faults, "budgets": budgets, "files": _files(Home(home))}


def _files(home: Home) -> list[str]:
    return sorted(_STAMP.sub("STAMP", path.name) for path in home.path.iterdir())


def _in_child(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do the work in a process of its own; its exit status, and what came of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)

        def tell() -> None:
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump(work(), pipe)

        leave_after(tell)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        result = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), json.loads(result or "null")


def _after(template: Path, home: Path, words: list[str], dies_before: int | None) -> dict[str, Any]:
    """What a command makes of a damaged directory, after one that died at work where a step is given."""
    shutil.copytree(template, home)
    try:
        status, opened = 0, None
        if dies_before is not None:
            status, _ = _in_child(lambda: _counted(home, words, dies_before))
            began = any(home.glob("ledger.recovering.json"))
            opened = _in_child(lambda: _opened(home))[1] if began else None
        said, steps = _in_child(lambda: _counted(home, words, None))[1]
        held = _in_child(lambda: _held(home))[1]
        return {
            "before": dies_before,
            "died": status == DIED,
            "opened": opened,
            "said": said,
            "held": held,
            "steps": steps,
        }
    finally:
        shutil.rmtree(home)


def main(template: Path, folder: Path, first: int, step: int, words: list[str]) -> None:
    home = folder / "home"
    os.environ["MONITOR_HOME"] = str(home)
    undisturbed = _after(template, home, words, None)
    deaths = [_after(template, home, words, place) for place in range(first, undisturbed["steps"] + 1, step)]
    json.dump({"undisturbed": undisturbed, "deaths": deaths}, sys.stdout)


if __name__ == "__main__":
    logging.disable()
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
