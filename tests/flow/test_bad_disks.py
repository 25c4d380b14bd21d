"""The ledger's disk is full, or fails: the drain says so, loses nothing, and goes on when the disk is well again."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flow.rooms import AS_ANYBODY, AS_ROOT, in_a_room

_SMALL = 'mount -t tmpfs -o size=16m,mode=0700 tmpfs "$0/home" && "$@"'
_IMAGE = """
set -e; mkdir -p "$0/under" "$0/home/spool" "$0/spool"
mount -t tmpfs -o size=32m tmpfs "$0/under"
truncate -s 16M "$0/under/image"
mkfs.ext4 -q -O ^has_journal "$0/under/image"
DISK=$(losetup --find --show "$0/under/image")
export DISK
trap 'umount "$0/home/spool" "$0/home" 2>/dev/null || true; losetup --detach "$DISK"' EXIT
"""
_UNDER_THE_LEDGER = f"""{_IMAGE}
mount "$DISK" "$0/home"; mkdir "$0/home/spool"; mount --bind "$0/spool" "$0/home/spool"
chmod 700 "$0/home" "$0/home/spool"
"$@"
"""
_UNDER_THE_SPOOL = f"""{_IMAGE}
mount "$DISK" "$0/home/spool"; chmod 700 "$0/home" "$0/home/spool"
"$@"
"""


def _met(trouble: str, room: Path, script: str, may: tuple[str, ...]) -> dict[str, Any]:
    home = room / "home"
    home.mkdir(mode=0o700)
    ended = in_a_room(room, script, sys.executable, "-m", "tests.flow.bad_disk", trouble, str(room), home=home, may=may)
    assert (ended.status, ended.err) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)
    assert found["after"][-1] == "done: None"
    assert (found["stored"], found["faults"]) == (800, [])
    return found


def test_a_full_disk_stops_the_drain_until_there_is_room(tmp_path: Path) -> None:
    """Neither a commit nor a checkpoint that fails costs anything; both say what is wrong and what to do."""
    told = _met("full", tmp_path, _SMALL, AS_ANYBODY)["told"]

    assert {("No space left on device" in each, each.endswith("Free some space.")) for each in told[:3:2]} == {
        (True, True)
    }
    assert str(tmp_path / "home" / "ledger.duckdb") in told[0]


@pytest.mark.torture
def test_a_disk_that_fails_under_the_ledger_stops_the_drain_until_it_is_well(tmp_path: Path) -> None:
    """What was committed is there, what was not is read from the spool."""
    told = _met("ledger", tmp_path, _UNDER_THE_LEDGER, AS_ROOT)["told"]

    assert any("Input/output error" in each and "ledger.duckdb" in each for each in told), told


@pytest.mark.torture
def test_a_disk_that_fails_under_the_spool_is_told_and_its_lines_wait(tmp_path: Path) -> None:
    """They are stored once when they can be read again."""
    found = _met("segment", tmp_path, _UNDER_THE_SPOOL, AS_ROOT)

    assert found["told"][-1].endswith("cannot be read: Input/output error. Its lines wait.")
    assert found["after"][0] == "done: 400"
