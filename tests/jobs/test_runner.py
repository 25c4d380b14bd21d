"""Jobs that fail are seen and counted, and stop nobody."""

import logging

import pytest

from monitor.health import Health
from monitor.jobs.runner import JobRunner, JobState
from tests.factories_alerts import NOW, FakeClock


def _fails() -> None:
    raise ValueError("it is broken")


def _runner() -> tuple[JobRunner, Health]:
    health = Health()
    return JobRunner(FakeClock(), health), health


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_a_good_run_is_noted() -> None:
    """When, how long, and that nothing is wrong."""
    runner, _ = _runner()
    done: list[int] = []

    assert runner.run("count", lambda: done.append(1))
    state = runner.states()["count"]
    assert (done, state.runs, state.faults, state.last_run_at, state.last_fault) == ([1], 1, 0, NOW, None)
    assert state.last_duration is not None


def test_a_fault_is_noted_and_counted() -> None:
    """Its kind and its text stand in the state, and it does not come out."""
    runner, health = _runner()

    assert not runner.run("count", _fails)
    state = runner.states()["count"]
    assert (state.runs, state.faults, state.last_fault) == (1, 1, "ValueError: it is broken")
    assert health.counts() == {"job_faults_total": 1}


def test_a_job_that_works_again_has_no_fault() -> None:
    """But the number of its faults stays."""
    runner, _ = _runner()
    runner.run("count", _fails)
    runner.run("count", list)
    state = runner.states()["count"]

    assert (state.runs, state.faults, state.last_fault) == (2, 1, None)


def test_the_same_fault_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Twice a second would fill the disk; a new one is logged again."""
    runner, health = _runner()

    def fails_otherwise() -> None:
        raise ValueError("it is broken elsewhere")

    for job in (_fails, _fails, fails_otherwise, list, fails_otherwise):
        runner.run("count", job)

    assert _errors(caplog) == ["The job count failed; it will be tried again."] * 3
    assert health.counts() == {"job_faults_total": 4}


def test_jobs_are_told_apart() -> None:
    """One that fails does not mark another."""
    runner, _ = _runner()
    runner.run("bad", _fails)
    runner.run("good", list)

    assert {name: state.faults for name, state in runner.states().items()} == {"bad": 1, "good": 0}


def test_the_end_of_the_process_is_no_fault() -> None:
    """What is no error of the job goes on up."""
    runner, health = _runner()

    def ends() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run("count", ends)
    assert (runner.states(), health.counts()) == ({}, {})


def test_a_job_that_never_ran_has_an_empty_state() -> None:
    """Unknown, not zero seconds."""
    assert (JobState().last_duration, JobState().last_run_at) == (None, None)
