"""A recovery may be killed anywhere: the next one tells the same loss, and leaves the same, as one left alone."""

import json
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.home import Home
from monitor.ledger.aside import write_ahead_logs
from monitor.ledger.examine import examine
from monitor.ledger.ledger import Ledger
from tests.flow.running import run
from tests.ledger.damaged import DAMAGES, Template, drained, make_template

_FIRST, _STEP = 13, 23
_WITHIN = 1_800.0


@dataclass(frozen=True)
class Case:
    """A data directory to be mended, what is typed for it, and what must be told."""

    home: Path
    words: tuple[str, ...]
    tells: str


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(tmp_path_factory.mktemp("template"))


def _drained_home(template: Template, place: Path) -> Home:
    """All is in the ledger's file, and two segments that came after the backup have left the spool."""
    home = template.copy(place)
    before = {path.name for path in home.spool.iterdir()}
    drained(home)
    with Ledger.open(home.ledger) as ledger, ledger.cursor() as cursor:
        later = "select file from checkpoints group by file having sum(records) > 0 order by max(drained_at) desc"
        gone = [file for (file,) in cursor.execute(later).fetchall() if file in before][:2]
    for file in gone:
        (home.spool / file).unlink()
    with Control.open(home.control, system_clock) as control:
        control.add_budget(name="later", amount=Decimal(5), period="month", time_zone="UTC")
    return home


def _damaged_requests(home: Home) -> None:
    """The positions can still be read."""
    content = home.ledger.read_bytes()
    for seed in range(200):
        home.ledger.write_bytes(DAMAGES["overwritten"](content, Random(seed)))
        standing = examine(home.ledger)
        if standing.fault is not None and standing.places is not None:
            return
    raise AssertionError("no seed damages what it should")


def _log(template: Template, place: Path) -> Case:
    home = template.copy(place)
    (log,) = write_ahead_logs(home.ledger)
    log.write_bytes(DAMAGES["flipped"](log.read_bytes(), Random(1)))
    return Case(home.path, ("recover",), "Nothing is missing")


def _file(template: Template, place: Path) -> Case:
    home = _drained_home(template, place)
    _damaged_requests(home)
    return Case(home.path, ("recover",), "Not recovered: ")


def _file_and_backup(template: Template, place: Path) -> Case:
    home = _drained_home(template, place)
    _damaged_requests(home)
    return Case(home.path, ("recover", "--from", str(template.backup)), "Not recovered: ")


def _restored(template: Template, place: Path) -> Case:
    return Case(_drained_home(template, place).path, ("restore", str(template.backup)), "Not recovered: ")


def _restored_stores(template: Template, place: Path) -> Case:
    home = _drained_home(template, place)
    _damaged_requests(home)
    home.control.write_bytes(b"no store" * 1_000)
    return Case(home.path, ("restore", str(template.backup)), "Not recovered: ")


def _restored_anywhere(template: Template, place: Path) -> Case:
    home = Home(place)
    home.create()
    return Case(home.path, ("restore", str(template.backup)), "what is missing cannot be counted")


def _gone(template: Template, place: Path) -> Case:
    home = template.copy(place)
    home.ledger.unlink()
    return Case(home.path, ("recover",), "what is missing cannot be counted")


_CASES = (_log, _file, _file_and_backup, _restored, _restored_stores, _restored_anywhere, _gone)


def _die(case: Case, folder: Path, first: int, step: int) -> int:
    """Let the command die at these places and type it again; returns how many there were."""
    words = (str(case.home), str(folder), str(first), str(step), *case.words)
    ended = run("-m", "tests.ledger.killed_recovery", *words, home=case.home, within=_WITHIN)
    assert (ended.status, ended.err) == (0, ""), ended.err
    found: dict[str, Any] = json.loads(ended.out)
    undisturbed = found["undisturbed"]
    print(f"{len(found['deaths'])} places to die at, from {first} in steps of {step}")  # noqa: T201 - for `pytest -s`

    assert case.tells in undisturbed["said"], undisturbed["said"]
    for death in found["deaths"]:
        assert death["died"], death["before"]
        assert death["said"] == undisturbed["said"], death["before"]
        assert death["held"] == undisturbed["held"], death["before"]
        assert "monitor ledger" in (death["opened"] or "monitor ledger"), death
    return len(found["deaths"])


@pytest.mark.parametrize("make", _CASES)
def test_a_recovery_may_be_killed_at_a_step(template: Template, tmp_path: Path, make: Any) -> None:
    """Every so many steps, from one by chance on."""
    assert _die(make(template, tmp_path / "damaged"), tmp_path, 1 + Random().randrange(_FIRST), _STEP) > 0


@pytest.mark.torture
@pytest.mark.parametrize("make", _CASES)
def test_a_recovery_may_be_killed_at_every_step(template: Template, tmp_path: Path, make: Any) -> None:
    """The same, without leaving any out."""
    assert _die(make(template, tmp_path / "damaged"), tmp_path, 1, 1) > _FIRST


def test_the_template_tells_something(template: Template, tmp_path: Path) -> None:
    """What left the spool after the backup is in the ledger only."""
    home = _drained_home(template, tmp_path / "home")
    shutil.rmtree(home.spool)

    assert (examine(home.ledger).requests or 0) > 1_000
