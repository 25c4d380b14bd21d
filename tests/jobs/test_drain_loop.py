"""The thread that drains: it goes on after faults, is started again when it dies, and leaves nothing behind."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.health import Health
from monitor.jobs.drain_loop import DrainLoop, rest_after
from monitor.jobs.runner import JobRunner
from monitor.ledger import queries
from monitor.ledger.drain import Drain
from tests.factories import make_record
from tests.factories_alerts import FakeClock
from tests.world import ALWAYS, World

_PATIENCE = 30
# The thread is to die of something that no handler takes.
_dying = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class ScriptedDrain(Drain):
    """Does what the script says, one step a run, then nothing; `came_round` is set by each run after the script."""

    def __init__(self, *script: BaseException) -> None:
        self._script = list(script)
        self.runs = 0
        self.came_round = threading.Event()

    def run(self) -> int:
        self.runs += 1
        if self._script:
            raise self._script.pop(0)
        self.came_round.set()
        return 0


def _loop(drain: Drain) -> tuple[DrainLoop, JobRunner]:
    runner = JobRunner(FakeClock(), Health())
    return DrainLoop(drain, runner, interval=0.001), runner


@contextmanager
def _started(loop: DrainLoop) -> Iterator[DrainLoop]:
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


@pytest.mark.parametrize(("took", "rest"), [(0.0, 0.5), (0.2, 0.3), (0.45, 0.05), (0.5, 0.05), (60.0, 0.05)])
def test_looks_begin_an_interval_apart(took: float, rest: float) -> None:
    """However long each takes; a tenth of it is left to others for certain."""
    assert rest_after(took, 0.5) == pytest.approx(rest)


def test_what_waits_is_drained(tmp_path: Path) -> None:
    """Without anybody asking for it."""
    with World(tmp_path) as world:
        world.spool(make_record())
        loop, _ = _loop(world.drain)
        with _started(loop):
            assert loop.is_alive()

        assert queries.totals(world.ledger, ALWAYS).requests == 1


def test_stopping_drains_what_came_last(tmp_path: Path) -> None:
    """What is on the spool when the server stops is in the ledger when it has stopped."""
    with World(tmp_path) as world:
        loop = DrainLoop(world.drain, JobRunner(FakeClock(), Health()), interval=3_600)
        with _started(loop):
            loop.drain_now()
            world.spool(make_record())

        assert queries.totals(world.ledger, ALWAYS).requests == 1
        assert not loop.is_alive()


def test_a_fault_does_not_end_the_thread() -> None:
    """It is noted, and the next round is tried."""
    drain = ScriptedDrain(ValueError("first"), OSError("second"))
    loop, runner = _loop(drain)
    with _started(loop):
        assert drain.came_round.wait(_PATIENCE)

    assert runner.states()["drain"].faults == 2


@_dying
def test_a_thread_that_died_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    """By the supervision, which says so."""
    drain = ScriptedDrain(SystemExit())
    loop, _ = _loop(drain)
    with _started(loop):
        _join_drain()
        was_alive = loop.is_alive()
        loop.supervise()
        assert drain.came_round.wait(_PATIENCE)

    assert not was_alive
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "The drain had stopped and is started again."
    ]


@_dying
def test_stopping_drains_also_when_the_thread_had_died() -> None:
    """Nobody else would do it."""
    drain = ScriptedDrain(SystemExit())
    loop, _ = _loop(drain)
    with _started(loop):
        _join_drain()

    assert (drain.runs, drain.came_round.is_set()) == (2, True)


def test_the_supervision_leaves_a_living_thread_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is started twice."""
    drain = ScriptedDrain()
    loop, _ = _loop(drain)
    with _started(loop):
        loop.supervise()
        names = [thread.name for thread in threading.enumerate()]

    assert names.count("drain") == 1
    assert caplog.records == []


def test_a_stopped_drain_stays_stopped() -> None:
    """The supervision that comes late starts nothing."""
    loop, _ = _loop(ScriptedDrain())
    loop.start()
    loop.stop()
    loop.supervise()

    assert not loop.is_alive()


def test_stopping_what_never_ran_does_nothing() -> None:
    """A report opens the house without starting it."""
    drain = ScriptedDrain()
    loop, _ = _loop(drain)
    loop.stop()

    assert drain.runs == 0


def test_a_round_that_went_well_resets_the_idle_time() -> None:
    """So that a drain that is stuck shows."""
    drain = ScriptedDrain()
    loop, _ = _loop(drain)
    with _started(loop):
        assert drain.came_round.wait(_PATIENCE)

    assert 0 <= loop.idle_for() < _PATIENCE


def _join_drain() -> None:
    """Wait for the end of the thread."""
    for thread in threading.enumerate():
        if thread.name == "drain":
            thread.join(_PATIENCE)
