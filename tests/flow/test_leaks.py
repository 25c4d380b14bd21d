"""A program that calls for a long time holds no more at the end than in the middle."""

import json
from pathlib import Path

import pytest

from tests.flow.leaking_app import WAYS
from tests.flow.oracle import drained
from tests.flow.running import run

_FEW = 600
_A_CALL = 0.05
_START = 60.0
_SMALL_SEGMENTS = {"MONITOR_SEGMENT_SIZE": "1048576"}

Held = dict[str, int]


def _held(home: Path, calls: int, *ways: str) -> dict[str, tuple[Held, Held]]:
    """What the program held in the middle and at the end, by way."""
    within = _START + calls * _A_CALL * len(ways)
    ended = run("-m", "tests.flow.leaking_app", str(calls), *ways, home=home, more=_SMALL_SEGMENTS, within=within)
    assert (ended.status, ended.err) == (0, "")
    told = json.loads(ended.out)
    assert told["counters"] == {}
    return {way: (before, after) for way, (before, after) in told["held"].items()}


def _are_level(before: Held, after: Held) -> bool:
    return after["files"] <= before["files"] and after["threads"] <= before["threads"]


def test_nothing_is_left_of_calls(tmp_path: Path) -> None:
    """Memory, files and threads stay level, however the program calls."""
    # The first way once more, and first: what the SDK builds up with its first calls is no leak.
    held = _held(tmp_path / "home", _FEW, WAYS[0], *WAYS)

    assert {way: told for way, told in held.items() if not _are_level(*told)} == {}
    # Far less than an object for each call of the second half.
    grown = {way: after["blocks"] - before["blocks"] for way, (before, after) in held.items()}
    assert {way: number for way, number in grown.items() if number > _FEW / 4} == {}


@pytest.mark.torture
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_very_many_calls(way: str, tmp_path: Path, calls: int) -> None:
    """The same for long, and each request is stored once."""
    home = tmp_path / "home"
    before, after = _held(home, calls, way)[way]

    assert _are_level(before, after)
    assert after["blocks"] - before["blocks"] < max(500, calls / 100)
    assert after["memory"] - before["memory"] < 16_000
    if way != "cancelled":
        assert drained(home).rows == calls
