"""The jobs and how often they run, as data, and the scheduler that runs them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.jobs.runner import JobRunner

_WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and the seconds between two of its runs; the first comes one interval after the start, or at once."""

    name: str
    interval: float
    run: Callable[[], object]
    is_first_at_once: bool = False


class Schedule:
    """Runs jobs in the background, each one never twice at a time."""

    def __init__(self, jobs: Sequence[Job], runner: JobRunner) -> None:
        """Nothing runs until `start`."""
        self._jobs = jobs
        self._runner = runner
        # A job that takes longer than its interval is no fault: it runs again when it is done.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        # A job that comes late (the machine slept) runs once when it can; by default one second late is skipped.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_WORKERS)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin."""
        for job in self._jobs:
            if job.is_first_at_once:
                self._runner.run(job.name, job.run)
            self._scheduler.add_job(
                self._runner.run, "interval", seconds=job.interval, args=(job.name, job.run), id=job.name
            )
        self._scheduler.start()

    def stop(self) -> None:
        """End, after the jobs that run now."""
        self._scheduler.shutdown(wait=True)
