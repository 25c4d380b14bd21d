"""The thread that drains the spool, twice a second unless it is told otherwise."""

import logging
import threading
import time

from monitor.jobs.runner import JobRunner
from monitor.ledger.contents import ContentDrain
from monitor.ledger.drain import Drain

log = logging.getLogger(__name__)

_STUCK_AFTER = 60.0
_LEAST_REST = 0.1
"""Of an interval, however long a look has taken: others wait for the ledger, too."""


def rest_after(took: float, interval: float) -> float:
    """Seconds to wait after a look at the spool that `took` so many, so that looks begin an `interval` apart.

    Waiting a whole interval would make every request older by the time of one look more.
    """
    return max(interval - took, interval * _LEAST_REST)


class DrainLoop:
    """Owns one thread; `stop` ends it after the batch that it is at."""

    def __init__(
        self, drain: Drain, runner: JobRunner, *, interval: float, contents: ContentDrain | None = None
    ) -> None:
        """Nothing runs until `start`.

        Args:
            drain: of records.
            runner: keeps count of the rounds.
            interval: time in seconds from the beginning of one look at the spool to that of the next.
            contents: drain of contents, which comes after that of records.
        """
        self._drain = drain
        self._contents = contents
        self._runner = runner
        self._interval = interval
        self._wake = threading.Event()
        self._is_stopping = False
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done_at = time.monotonic()

    def start(self) -> None:
        """Begin draining."""
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Drain what is there once more, then end the thread."""
        self._is_stopping = True
        self._wake.set()
        if self._thread is None:
            return
        has_died = not self._thread.is_alive()
        self._thread.join()
        self._thread = None
        if has_died:
            self._runner.run("drain", self.drain_now)

    def drain_now(self) -> None:
        """Drain until nothing waits, in the thread of the caller."""
        with self._turn:
            self._drain.run()
            if self._contents is not None:
                self._contents.run()

    def read_again(self) -> int:
        """Read damaged segments from their start again, in the thread of the caller; returns the lines stored."""
        with self._turn:
            return self._drain.read_again()

    def supervise(self) -> None:
        """Start the thread again if it died, and say so if it is stuck."""
        if self._thread is not None and not self._thread.is_alive() and not self._is_stopping:
            log.error("The drain had stopped and is started again.")
            self.start()
        elif self.idle_for() > _STUCK_AFTER:
            log.error("The drain has not come round for %.0f seconds.", self.idle_for())

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def idle_for(self) -> float:
        """Seconds since the drain last came round without a fault."""
        return time.monotonic() - self._done_at

    def _run(self) -> None:
        while not self._is_stopping:
            began = time.monotonic()
            if self._runner.run("drain", self.drain_now):
                self._done_at = time.monotonic()
            self._wake.wait(rest_after(time.monotonic() - began, self._interval))
        self._runner.run("drain", self.drain_now)
