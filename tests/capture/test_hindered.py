"""A recorder that fails, at whatever line, is not noticed by the program."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.capture.line_faults import SCENARIOS

_ROOT = Path(__file__).parents[2]
_SAMPLE = 89
"""A prime, so that the lines of a loop are not always met at the same place."""


def _campaign(directory: Path, *, first: int, step: int, within: float, names: list[str]) -> dict[str, Any]:
    """What faults did at every so many lines: by scenario, how many were raised, and what went wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.capture.line_faults", str(directory), str(first), str(step), *names],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_fault_at_a_line_of_the_recorder_is_not_noticed(tmp_path: Path) -> None:
    """Same answers, same errors, same streams; the fault is counted, and the spool is whole. A sample of the lines."""
    found = _campaign(tmp_path, first=7, step=_SAMPLE, within=300, names=[])

    assert {name: told["wrong"] for name, told in found.items()} == {name: [] for name in SCENARIOS}
    assert min(told["raised"] for told in found.values()) > 2


@pytest.mark.torture
@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_fault_at_any_line_of_the_recorder_is_not_noticed(tmp_path: Path, name: str) -> None:
    """All of them."""
    found = _campaign(tmp_path, first=1, step=1, within=3_600, names=[name])

    assert found[name]["wrong"] == []
    assert found[name]["raised"] > 100
