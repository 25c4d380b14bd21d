"""How much a spool may still take: a limit of all its segments together, whoever writes them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from monitor.errors import SpoolFullError
from monitor.spool.format import SUFFIX

_NEAR: Final = 5.0
_FAR: Final = 60.0


class Room:
    """Measures a spool directory now and then; what its writer adds meanwhile, that one counts itself."""

    def __init__(self, directory: Path, limit: int | None, clock: Callable[[], float]) -> None:
        """Nothing is measured yet; `limit` is None where there is none."""
        self._directory = directory
        self._limit = limit
        self._clock = clock
        self._next = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether the last measuring is so long ago that others may have filled the spool."""
        return self._limit is not None and self._clock() >= self._next

    def measure(self) -> float:
        """The bytes there is room for.

        Raises:
            SpoolFullError: there is none.
        """
        if self._limit is None:
            return float("inf")
        used = size_of_all(self._directory)
        if used >= self._limit:
            raise SpoolFullError(
                f"The spool {self._directory} holds {used / 2**20:,.1f} MiB, and its limit is"
                f" {self._limit / 2**20:,.1f} MiB. Start `monitor up`, which takes it in, or raise MONITOR_SPOOL_LIMIT."
            )
        self._next = self._clock() + (_FAR if 2 * used < self._limit else _NEAR)
        return self._limit - used


def size_of_all(directory: Path) -> int:
    """Bytes of all segments of a spool; zero where they cannot be listed, as the writing will tell why."""
    try:
        with os.scandir(directory) as entries:
            return sum(_size_of(entry) for entry in entries if entry.name.endswith(SUFFIX))
    except OSError:
        return 0


def _size_of(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        # The server removed it at this moment.
        return 0
