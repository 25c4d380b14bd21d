"""Programs that fork: parent and children call, and each request is stored once."""

from pathlib import Path

import pytest

from tests.flow.forking_app import SLOW, WAYS
from tests.flow.oracle import Told, drained, survives
from tests.flow.running import run
from tests.flow.segments import writers

_FEW = 20
_FEW_SLOW = 2
_MANY_SLOW = 100
_A_CHILD = 3.0
_START = 60.0
# What Python itself says of a fork among threads.
_IN_PEACE = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}


def _campaign(home: Path, way: str, children: int) -> None:
    ended = run(
        "-m",
        "tests.flow.forking_app",
        way,
        str(children),
        home=home,
        more=_IN_PEACE,
        within=_START + children * _A_CHILD,
    )
    assert (ended.status, ended.err) == (0, "")
    told = Told.of(ended.out.splitlines())
    found = list(writers(home))
    kept = drained(home)

    survives(told, kept)
    assert kept.responses == told.returned
    assert kept.outcomes == {"completed": told.begun}
    assert (kept.quarantined, kept.dropped) == (0, 0)
    # Nobody writes into the segment of another process.
    assert [pid for pid, others in found if others - {pid}] == []


@pytest.mark.parametrize("way", WAYS)
def test_every_call_of_children_is_stored_once(way: str, tmp_path: Path) -> None:
    """Whatever way a program gets its children, each writes a segment of its own and nobody waits for ever."""
    _campaign(tmp_path / "home", way, _FEW_SLOW if way in SLOW else _FEW)


@pytest.mark.torture
@pytest.mark.parametrize("way", WAYS)
def test_every_call_of_very_many_children_is_stored_once(way: str, tmp_path: Path, forks: int) -> None:
    """The same, a thousand times."""
    _campaign(tmp_path / "home", way, min(forks, _MANY_SLOW) if way in SLOW else forks)
