"""Runs jobs so that one that fails is seen, counted and tried again, and never stops the others."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.clock import Clock
from monitor.health import Health

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """How a job fares. `last_fault` is None while its last run went well."""

    runs: int = 0
    faults: int = 0
    last_run_at: datetime | None = None
    last_duration: float | None = None
    last_fault: str | None = None


class JobRunner:
    """Knows the state of every job that it ran."""

    def __init__(self, clock: Clock, health: Health) -> None:
        """No job has run yet."""
        self._clock = clock
        self._health = health
        self._lock = threading.Lock()
        self._states: dict[str, JobState] = {}

    def run(self, name: str, job: Callable[[], object]) -> bool:
        """Run a job once; False when it failed. A fault is logged when it is new, and counted each time."""
        began = time.monotonic()
        fault: Exception | None = None
        try:
            job()
        except Exception as error:  # noqa: BLE001 - the scheduler's jobs must not stop each other
            fault = error
            self._health.count("job_faults_total")
        self._note(name, fault, time.monotonic() - began)
        return fault is None

    def states(self) -> Mapping[str, JobState]:
        """The state of each job by name."""
        with self._lock:
            return dict(self._states)

    def _note(self, name: str, fault: Exception | None, duration: float) -> None:
        text = f"{type(fault).__name__}: {fault}" if fault else None
        with self._lock:
            before = self._states.get(name, JobState())
            self._states[name] = replace(
                before,
                runs=before.runs + 1,
                faults=before.faults + (fault is not None),
                last_run_at=self._clock(),
                last_duration=round(duration, 6),
                last_fault=text,
            )
        if fault and text != before.last_fault:
            log.error("The job %s failed; it will be tried again.", name, exc_info=fault)
        elif before.last_fault and not fault:
            log.info("The job %s works again.", name)
