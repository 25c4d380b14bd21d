"""Programs that cannot record: they get their answers all the same, and what is lost is told to the line."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.flow.oracle import drained
from tests.flow.rooms import in_a_room
from tests.flow.running import Ended, finish, run

_APP = "tests.flow.hindered_app"
_CALLS = 30


def _ran(app: Ended) -> dict[str, int]:
    """That every call was answered, nothing was raised, and the log has one line; the counters."""
    *answers, counters = app.out.splitlines()
    assert (app.status, set(answers)) == (0, {"Yes."}), app.err
    assert len(answers) >= _CALLS
    assert "Traceback" not in app.err
    assert len(app.err.splitlines()) <= 1
    found: dict[str, int] = json.loads(counters)
    assert "internal_errors_total" not in found
    return found


def _unprivileged(*command: str) -> list[str]:
    """A command that may not write where the mode says so, whoever runs the tests."""
    if os.geteuid() != 0:
        return list(command)
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv is not here to take that away")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]


@pytest.mark.parametrize(
    "hindrance",
    ["file in the way", "disk full at the start", "spool replaced", "disk full", "disk almost full"],
)
def test_a_program_gets_its_answers_though_nothing_can_be_written(tmp_path: Path, hindrance: str) -> None:
    """Not being able to record is our trouble, not the program's; what was not recorded is counted, and told once."""
    app = run("-m", _APP, hindrance, str(_CALLS), home=tmp_path / "home")

    assert _ran(app)["calls_dropped_total"] > 0
    assert app.err.startswith("openai-monitor cannot record: The ")
    assert str(tmp_path / "home") in app.err


@pytest.mark.parametrize("hindrance", ["no permission", "permission lost"])
def test_a_program_without_permission_gets_its_answers(tmp_path: Path, hindrance: str) -> None:
    """The sentence in its log says whose directory it is and what to do."""
    home = tmp_path / "home"
    app = finish(_unprivileged(sys.executable, "-m", _APP, hindrance, str(_CALLS)), home=home)

    assert _ran(app) == {"calls_dropped_total": 2 * _CALLS}
    assert "Permission denied" in app.err
    assert "MONITOR_HOME" in app.err


@pytest.mark.parametrize("hindrance", ["spool removed", "directory removed", "working directory removed"])
def test_a_directory_that_is_gone_is_made_again(tmp_path: Path, hindrance: str) -> None:
    """Somebody cleaned up before the first call: nothing is lost."""
    home = tmp_path / "home"
    app = run("-m", _APP, hindrance, str(_CALLS), home=home)

    assert (_ran(app), app.err) == ({}, "")
    assert drained(home).outcomes == {"completed": _CALLS}


def test_a_damaged_secret_costs_the_fingerprints_only(tmp_path: Path) -> None:
    """The calls are recorded; the log says what is amiss."""
    home = tmp_path / "home"
    app = run("-m", _APP, "secret damaged", str(_CALLS), home=home)

    assert _ran(app) == {}
    assert "The install secret" in app.err
    assert drained(home).outcomes == {"completed": _CALLS}
    assert (home / "secret").read_text() == "no secret"


def test_what_a_full_disk_took_is_told_when_there_is_room_again(tmp_path: Path) -> None:
    """Each begin and each end line stands on the spool or is told as dropped."""
    home = tmp_path / "home"
    app = run("-m", _APP, "disk full for a while", str(_CALLS), home=home)
    counters = _ran(app)
    calls = len(app.out.splitlines()) - 1
    lines = [json.loads(line) for path in (home / "spool").iterdir() for line in path.read_bytes().splitlines()]
    stored = sum(line["kind"] in ("begin", "end") for line in lines)
    kept = drained(home)

    assert stored + kept.dropped == 2 * calls
    assert (counters["calls_dropped_total"], kept.quarantined) == (kept.dropped, 0)
    assert kept.outcomes["completed"] > _CALLS // 3


_MOUNT = 'mount -t tmpfs -o size={size},mode=0700 tmpfs "$0" && {then} exec "$@"'


@pytest.mark.parametrize(
    ("size", "then", "said"),
    [
        ("16k", "", "No space left on device"),
        ("16k", 'dd if=/dev/zero of="$0/ballast" bs=1k 2>/dev/null;', "No space left on device"),
        ("1m", 'mount -o remount,ro "$0" &&', "Read-only file system"),
    ],
    ids=["fills up", "full at the start", "read-only"],
)
def test_a_real_disk_may_be_full_or_read_only(tmp_path: Path, size: str, then: str, said: str) -> None:
    """A file system of a few pages: it fills up under the program, was full before it, or takes nothing."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    script = _MOUNT.format(size=size, then=then)
    app = in_a_room(home, script, sys.executable, "-m", _APP, "none", str(_CALLS), home=home)

    assert _ran(app)["calls_dropped_total"] > 0
    assert said in app.err
