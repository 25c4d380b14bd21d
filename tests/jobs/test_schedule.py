"""Jobs run when they are due, side by side, and one never twice at a time."""

import threading

from monitor.health import Health
from monitor.jobs.runner import JobRunner
from monitor.jobs.schedule import Job, Schedule
from tests.factories_alerts import FakeClock

_PATIENCE = 30


def _runner() -> JobRunner:
    return JobRunner(FakeClock(), Health())


def _fails() -> None:
    raise ValueError("it is broken")


def test_a_job_runs_again_and_again() -> None:
    """Each interval once."""
    rounds = threading.Semaphore(0)
    schedule = Schedule([Job(name="count", interval=0.01, run=rounds.release)], _runner())
    schedule.start()
    came = [rounds.acquire(timeout=_PATIENCE) for _ in range(3)]
    schedule.stop()

    assert came == [True] * 3


def test_a_job_that_is_wanted_at_once_has_run_when_the_start_is_over() -> None:
    """What comes after can rely on it."""
    done: list[str] = []
    jobs = [
        Job(name="first", interval=3_600, run=lambda: done.append("first"), is_first_at_once=True),
        Job(name="later", interval=3_600, run=lambda: done.append("later")),
    ]
    schedule = Schedule(jobs, _runner())
    schedule.start()
    schedule.stop()

    assert done == ["first"]


def test_a_job_that_fails_stops_no_other() -> None:
    """Nor itself: it comes again."""
    runner = _runner()
    rounds = threading.Semaphore(0)

    def fails() -> None:
        rounds.release()
        _fails()

    schedule = Schedule(
        [
            Job(name="at once", interval=3_600, run=_fails, is_first_at_once=True),
            Job(name="bad", interval=0.01, run=fails),
            Job(name="good", interval=0.01, run=rounds.release),
        ],
        runner,
    )
    schedule.start()
    came = [rounds.acquire(timeout=_PATIENCE) for _ in range(6)]
    schedule.stop()
    states = runner.states()

    assert came == [True] * 6
    assert (states["at once"].faults, states["bad"].faults > 0, states["good"].faults) == (1, True, 0)


def test_stopping_waits_for_the_job_that_runs() -> None:
    """Nothing is cut off in the middle of a transaction."""
    has_begun, may_end = threading.Event(), threading.Event()
    done: list[bool] = []

    def job() -> None:
        has_begun.set()
        done.append(may_end.wait(_PATIENCE))

    schedule = Schedule([Job(name="long", interval=0.01, run=job)], _runner())
    schedule.start()
    assert has_begun.wait(_PATIENCE)
    stopping = threading.Thread(target=schedule.stop)
    stopping.start()
    is_waiting = stopping.is_alive()
    may_end.set()
    stopping.join(_PATIENCE)

    assert (is_waiting, done, stopping.is_alive()) == (True, [True], False)


def test_a_job_that_takes_long_is_never_run_twice_at_a_time() -> None:
    """The rounds that it missed are one."""
    others = threading.Semaphore(0)
    may_end = threading.Event()
    running: list[int] = []
    most: list[int] = []

    def long() -> None:
        running.append(1)
        most.append(len(running))
        may_end.wait(_PATIENCE)
        running.pop()

    schedule = Schedule(
        [Job(name="long", interval=0.01, run=long), Job(name="other", interval=0.01, run=others.release)], _runner()
    )
    schedule.start()
    came = [others.acquire(timeout=_PATIENCE) for _ in range(5)]
    may_end.set()
    schedule.stop()

    assert (came, max(most)) == ([True] * 5, 1)
