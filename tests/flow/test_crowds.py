"""Programs whose calls get in each other's way: each request is stored once, nothing hangs."""

import json
from pathlib import Path

import pytest

from tests.flow.crowded_app import WAYS, WITHOUT_DISK
from tests.flow.oracle import Told, drained, survives
from tests.flow.running import run

_FEW = 240
_START = 60.0
_A_CALL = 0.1
_MOST_FILES = 16
# So small that segments change all the time.
_SMALL_SEGMENTS = {"MONITOR_SEGMENT_SIZE": "4096"}


def _campaign(home: Path, way: str, times: int) -> None:
    within = _START + times * _A_CALL
    ended = run("-m", "tests.flow.crowded_app", way, str(times), home=home, more=_SMALL_SEGMENTS, within=within)
    assert ended.status == 0, ended.err
    assert "Traceback" not in ended.err
    told = Told.of(ended.out.splitlines())
    facts = json.loads(ended.err.splitlines()[-1])
    counters = facts["counters"]
    # Standard streams, the segment, what the libraries hold: nothing for each call or segment.
    assert facts["files"] < _MOST_FILES
    if way in WITHOUT_DISK:
        assert counters.keys() == {"calls_dropped_total"}
        assert told.returned == told.offered
        return
    kept = drained(home)

    survives(told, kept)
    assert counters == {}
    assert told.offered.total() <= kept.rows <= told.begun
    assert kept.outcomes["completed"] >= told.returned.total()
    assert kept.outcomes["unknown"] == 0
    assert (kept.quarantined, kept.dropped, kept.waiting) == (0, 0, 0)


@pytest.mark.parametrize("way", WAYS)
def test_calls_that_meet_are_stored_once(way: str, tmp_path: Path) -> None:
    """Threads, tasks, signals and collections: what was sent is stored, what came back is completed."""
    _campaign(tmp_path / "home", way, _FEW)


@pytest.mark.torture
@pytest.mark.parametrize("way", WAYS)
def test_very_many_calls_that_meet_are_stored_once(way: str, tmp_path: Path, calls: int) -> None:
    """The same for long."""
    _campaign(tmp_path / "home", way, calls // 5)
