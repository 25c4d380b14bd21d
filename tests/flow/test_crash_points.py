"""The drain's process is gone before any of its statements: the next drain leaves the same as if nothing had been."""

import json
from pathlib import Path
from random import Random

import msgspec
import pytest

from tests.factories import make_begin, make_failure, make_record
from tests.flow.running import run
from tests.world import World, fields_of, line_of, sealed

_STEP = 13
_WITHIN = 600.0


def _template(folder: Path) -> Path:
    """A data directory in the middle of its life: some is drained, and of every kind of line there is more to drain."""
    late = make_record()
    with World(folder) as world:
        world.writer.begin(make_begin(late))
        world.writer.close()
        # Its writer is gone, so that it looks as if it had no end.
        world.store()
        world.store(make_record(), make_failure())
        world.writer.begin(make_begin())
        world.spool(late, make_record(response_model="gpt-4.1-nano"), make_record(response_model="nobody-knows"))
        dropped = msgspec.to_builtins({"reason": "disk_full", "count": 3})
        world.forge(sealed(b"bad"), line_of(fields_of(make_record())), line_of(dropped, kind=b"dropped"))
    return world.home.path


def _dies_at(first: int, step: int, folder: Path) -> int:
    """Let drains die at these statements; returns how many there were."""
    template = _template(folder)
    command = ("-m", "tests.flow.crash_points", str(template), str(folder / "deaths"), str(first), str(step))
    ended = run(*command, home=template, within=_WITHIN)
    assert (ended.status, ended.err) == (0, ""), ended.err
    found = json.loads(ended.out)
    expected = found["expected"]
    print(f"{found['deaths']} places to die at, from {first} in steps of {step}")  # noqa: T201 - shown by `pytest -s`

    assert found["differing"] == []
    assert {name: len(rows) for name, rows in expected.items() if name not in ("usage_hourly", "checkpoints")} == {
        "requests": 7,
        "begins": 0,
        "quarantine": 1,
        "dropped": 1,
        "spool": 0,
    }
    return int(found["deaths"])


def test_a_drain_may_vanish_at_a_statement(tmp_path: Path) -> None:
    """Rows, rollup, begin lines, quarantine, losses, positions, segments: all as from a drain that was left alone."""
    assert _dies_at(1 + Random().randrange(_STEP), _STEP, tmp_path) > 3


@pytest.mark.torture
def test_a_drain_may_vanish_at_every_statement(tmp_path: Path) -> None:
    """The same, without leaving any out."""
    assert _dies_at(1, 1, tmp_path) > 40
