"""Programs that run on something else than threads and asyncio: gevent and trio."""

from pathlib import Path

import pytest

from tests.flow.oracle import Told, drained, survives
from tests.flow.running import environment
from tests.matrix.matrix import is_ready, run_in

_ENVIRONMENT = ".venv-openai-3"
_FEW = 160
_START = 60.0
_A_CALL = 0.1


def _campaign(program: str, home: Path, calls: int) -> None:
    if not is_ready(_ENVIRONMENT):
        pytest.skip(f"{_ENVIRONMENT} is not there; `make {_ENVIRONMENT}` sets it up, or tells why not")
    within = _START + calls * _A_CALL
    ended = run_in(_ENVIRONMENT, program, str(calls), within=within, more=environment(home))
    assert (ended.returncode, ended.stderr) == (0, "")
    told, kept = Told.of(ended.stdout.splitlines()), drained(home)

    survives(told, kept)
    assert told.offered.total() <= kept.rows <= told.begun
    assert kept.outcomes["completed"] >= told.returned.total() > calls
    assert (kept.quarantined, kept.dropped, kept.waiting) == (0, 0, 0)


@pytest.mark.parametrize("program", ["tests.matrix.greenlet_app", "tests.matrix.trio_app"])
def test_calls_of_other_loops_are_stored_once(program: str, tmp_path: Path) -> None:
    """Greenlets, some killed, a thread and a fork of them; tasks of trio, some cancelled."""
    _campaign(program, tmp_path / "home", _FEW)


@pytest.mark.torture
@pytest.mark.parametrize("program", ["tests.matrix.greenlet_app", "tests.matrix.trio_app"])
def test_very_many_calls_of_other_loops_are_stored_once(program: str, tmp_path: Path, calls: int) -> None:
    """The same for long."""
    _campaign(program, tmp_path / "home", calls // 5)
