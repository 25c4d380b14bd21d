"""Machines that do what a test needs: a clock that stands, a disk that fails, threads that do not start."""

import os
from collections.abc import Callable
from typing import Any


class Clock:
    """Stands still unless told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Disk:
    """Writes and flushes, or raises what it was told to; counts the tries."""

    def __init__(self) -> None:
        self.fault: int | None = None
        self.flush_fault: int | None = None
        self.tries = 0
        self.flushed: list[str] = []

    def __call__(self, descriptor: int, content: bytes) -> int:
        self.tries += 1
        if self.fault is not None:
            raise OSError(self.fault, os.strerror(self.fault))
        return os.write(descriptor, content)

    def flush(self, descriptor: int) -> None:
        """Note the name of what is flushed."""
        name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115, PTH119 - of a descriptor
        self.flushed.append(name)
        if self.flush_fault is not None:
            raise OSError(self.flush_fault, os.strerror(self.flush_fault))


class Threads:
    """Keeps what should run in a thread, until it is told to run it."""

    def __init__(self) -> None:
        self.started: list[Callable[[], None]] = []

    def __call__(self, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.started.append(lambda: function(*arguments))


def refuse(function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """No thread can be started, as where the user has as many as he may."""
    raise RuntimeError("can't start new thread")
