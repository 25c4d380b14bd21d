"""What keeps a writer from writing: named, told in the log, and not met again at every line."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from monitor.errors import HomeError, SpoolFullError

log = logging.getLogger(__name__)

SHORTEST_WAIT: Final = 0.05
LONGEST_WAIT: Final = 5.0
"""Seconds from one try to the next: twice as long each time, between these."""

_QUIET: Final = 3_600.0
_REASONS: Final = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.ENOENT: "no_directory",
    errno.ENOTDIR: "no_directory",
    errno.EEXIST: "no_directory",
    errno.EIO: "disk_fault",
    errno.EMFILE: "too_many_files",
    errno.ENFILE: "too_many_files",
}
_OTHER: Final = "write_failed"
REMOVED: Final = "removed"
UNSAFE: Final = "unsafe_directory"
FULL: Final = "spool_full"
REASONS: Final = frozenset({*_REASONS.values(), _OTHER, REMOVED, UNSAFE, FULL})
"""Why lines are dropped."""

Unwritable = OSError | HomeError | SpoolFullError
"""What keeps a writer from writing."""

_ADVICE: Final = {
    "disk_full": "Free some space there.",
    "disk_fault": "Look after the disk.",
    "too_many_files": "Raise the limit of open files of this process.",
}
_USUAL_ADVICE: Final = "Give this user the directory, or set MONITOR_HOME to one it may write to."


class Telling(NamedTuple):
    """What the log says of a trouble, with the fault in it, and of its end, with the directory in it."""

    begins: str
    ends: str


RECORDING: Final = Telling(
    "openai-monitor cannot record: %s Calls go on as ever; what is not recorded is counted.",
    "openai-monitor records again in %s.",
)
FLUSHING: Final = Telling(
    "openai-monitor cannot flush: %s Calls are recorded as ever, but a power cut may take some of the records.",
    "openai-monitor flushes again in %s.",
)


class Trouble:
    """The state of one writer that cannot write, or not flush."""

    def __init__(
        self,
        directory: Path,
        clock: Callable[[], float],
        *,
        telling: Telling = RECORDING,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """None yet; `clock` gives seconds that never go back."""
        self._directory = directory
        self._clock = clock
        self._telling = telling
        self._longest_wait = longest_wait
        self._wait = 0.0
        self._next_try = 0.0
        self._quiet_until: float | None = None
        self.reason = _OTHER

    @property
    def is_on(self) -> bool:
        """Whether the last try failed."""
        return self._wait > 0

    def is_waiting(self) -> bool:
        """Whether it is too early to try again."""
        return self._wait > 0 and self._clock() < self._next_try

    def met(self, error: Unwritable) -> str:
        """A try failed; returns the reason. The log gets one line an hour."""
        now = self._clock()
        self.reason = reason_of(error)
        self._wait = min(max(2 * self._wait, SHORTEST_WAIT), self._longest_wait)
        self._next_try = now + self._wait
        if self._quiet_until is None or now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            log.warning(self._telling.begins, self._sentence(error))
        return self.reason

    def is_over(self) -> None:
        """Writing works again."""
        self._wait = 0.0
        log.info(self._telling.ends, self._directory)

    def _sentence(self, error: Unwritable) -> str:
        if not isinstance(error, OSError):
            return str(error)
        what = error.strerror or type(error).__name__
        return f"The directory {self._directory} cannot be written ({what}). {_ADVICE.get(self.reason, _USUAL_ADVICE)}"


def reason_of(error: Unwritable) -> str:
    """The name of what keeps from writing."""
    if isinstance(error, SpoolFullError):
        return FULL
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, _OTHER)
    cause = error.__cause__
    if cause is None:
        return UNSAFE
    return _REASONS.get(cause.errno or 0, _OTHER) if isinstance(cause, OSError) else _OTHER
