"""The counting of what recording adds to a call: by valgrind, and read from what that writes."""

import json
import shutil
from pathlib import Path

import pytest

from bench.footprint import counts_of
from tests.flow.running import ROOT, run

_WRITTEN = """
# callgrind format
events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
fn=(1)
16 400
totals: 4000 900 800 40 20 10 6 4 2
"""


def test_counts_are_those_of_a_call() -> None:
    """Misses of instructions and data together."""
    assert counts_of(_WRITTEN.splitlines(), 2) == {
        "instructions": 2_000,
        "first_cache_misses": 35,
        "second_cache_misses": 6,
    }


@pytest.mark.torture
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_recording_is_counted(tmp_path: Path) -> None:
    """A raw call, and what a wrapped one has more: thousands of instructions, and a part of the whole."""
    report = tmp_path / "report.json"
    command = ("-m", "bench.footprint", "--calls", "1", "--json", str(report))
    ended = run(*command, home=tmp_path / "home", cwd=ROOT, within=600)

    assert ended.status == 0, ended.err
    found = json.loads(report.read_text())
    assert json.loads(ended.out) == found
    assert {*found["raw"]} == {*found["added"]} == {*counts_of(_WRITTEN.splitlines(), 2)}
    assert 10_000 < found["added"]["instructions"] < found["raw"]["instructions"]
