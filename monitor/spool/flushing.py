"""Brings written lines to the disk, so that a power cut takes no more of them than was chosen."""

import _thread
import errno
import fcntl
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from monitor.spool.segment import OpenSegment

DELAYS: Final = {"os": 0.8, "group": 0.04, "fsync": 0.0}
"""Seconds from a line to the flush that takes it, by durability; a second and 50 ms with the flush itself."""

_RETRY: Final = 5.0
_IDLE_ROUNDS: Final = 100
_LONGEST_PAUSE: Final = 0.2
_FULL: Final[int | None] = getattr(fcntl, "F_FULLFSYNC", None)
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW

Start = Callable[[Callable[..., None], tuple[Any, ...]], object]
"""Runs a function in a thread, as `_thread.start_new_thread` does; raises RuntimeError where none can be started."""


def flush_file(descriptor: int) -> None:
    """Have the system bring a file to the disk; returns when it is there."""
    if _FULL is not None:
        # On macOS fsync leaves the data in the cache of the disk.
        fcntl.fcntl(descriptor, _FULL)
    else:
        os.fdatasync(descriptor)


def start_thread(function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run it in a thread that keeps no program from ending.

    Not `threading.Thread`, whose start waits for the thread and takes a lock that cannot be taken twice: a line that
    comes from a finalizer or a signal's handler in the middle of another start would wait for ever.
    """
    if sys.is_finalizing():
        raise RuntimeError("the program ends")
    # Looked up here, so that what gevent put in its place is taken.
    _thread.start_new_thread(function, arguments)


class Flusher:
    """Flushes the segments of one writer: in a thread while lines come, where none can be started in the calls.

    It holds no reference to the writer, and its thread ends some time after the last line. `pause`, `go_on` and `end`
    are called without the writer's lock, as they wait for the thread, all others under it.
    """

    def __init__(
        self,
        durability: str,
        lock: "threading.RLock",
        *,
        flush: Callable[[int], None],
        start: Start,
        clock: Callable[[], float],
    ) -> None:
        """Nothing is there to be flushed yet; `lock` is the writer's."""
        self._delay = DELAYS[durability]
        self._is_strict = durability != "os"
        self._lock = lock
        self._system_flush = flush
        self._start = start
        self._clock = clock
        self._segments: list[OpenSegment] = []
        self._faulty: list[OpenSegment] = []
        self._next_start = float("-inf")
        self._next_flush = float("-inf")
        self._thread: _Thread | None = None
        self._is_paused = False
        self.is_prompt = durability == "fsync"
        """Whether `tend` must be called after each line."""

    def follow(self, segment: OpenSegment) -> None:
        """A segment was begun."""
        self._segments.append(segment)

    def tend(self) -> None:
        """See to it that what is written is flushed in time: by the thread, else here and now."""
        if self._delay and self._is_threaded():
            self.is_prompt = False
            return
        self.is_prompt = self._is_strict
        # A call waits for the disk, so as rarely as the promise allows.
        if self._is_strict or self._clock() >= self._next_flush:
            self._next_flush = self._clock() + self._delay
            self._flush_all()

    def settle(self) -> None:
        """A segment was ended: flush it here and now where no thread does and a second is too long."""
        if self._is_strict and self._thread is None:
            self._flush_all()

    def take_faulty(self) -> list[OpenSegment]:
        """The segments whose flush failed since the last time it was asked."""
        faulty, self._faulty = self._faulty, []
        return faulty

    def end(self) -> None:
        """The program ends: from now on no thread is started."""
        self._next_start = float("inf")
        self.pause()
        if self._is_strict:
            with self._lock:
                self._flush_all()

    def pause(self) -> None:
        """Stop the thread: a fork should find none."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._is_paused = True
            thread.stop()

    def go_on(self) -> None:
        """Start the thread again that was stopped."""
        if self._is_paused:
            self._is_paused = False
            with self._lock:
                self.tend()

    def _is_threaded(self) -> bool:
        if self._thread is None and self._clock() >= self._next_start:
            thread = _Thread(self._delay)
            self._thread = thread
            try:
                self._start(self._run, (thread,))
            except RuntimeError:
                self._thread = None
                self._next_start = self._clock() + _RETRY
        return self._thread is not None

    def _run(self, thread: "_Thread") -> None:
        rounds = _IDLE_ROUNDS
        try:
            while rounds and not thread.is_stopped():
                rounds = self._round(thread, rounds)
        finally:
            if self._thread is thread:
                self._thread = None
            thread.ended.release()

    def _round(self, thread: "_Thread", rounds: int) -> int:
        """Flush what is new; returns after how many more idle rounds the thread ends."""
        with self._lock:
            waiting = self._waiting()
            rounds = _IDLE_ROUNDS if waiting else rounds - 1
            # Under the same lock as the look: a line that comes now finds no thread and starts one. It does look for
            # it, as the idle rounds last longer than a writer goes without looking.
            if not rounds and self._thread is thread:
                self._thread = None
        for segment in waiting:
            self._flush_apart(segment)
        return rounds

    def _waiting(self) -> list[OpenSegment]:
        """The segments with lines that are not on the disk."""
        self._segments = [
            segment
            for segment in self._segments
            if segment.fault is None and (not segment.is_closed or segment.flushed < segment.seq)
        ]
        return [segment for segment in self._segments if segment.flushed < segment.seq]

    def _flush_all(self) -> None:
        for segment in self._waiting():
            if segment.is_closed:
                self._flush_apart(segment)
            else:
                self._flush(segment, segment.descriptor)

    def _flush_apart(self, segment: OpenSegment) -> None:
        """Flush through a descriptor of our own: the writer may close its own meanwhile."""
        try:
            descriptor = os.open(segment.path, _READ)
        except FileNotFoundError:
            # Somebody removed it, which the writer tells.
            segment.flushed = segment.seq
            return
        except OSError:
            # Too many open files, say. It is tried again.
            return
        try:
            self._flush(segment, descriptor)
        finally:
            os.close(descriptor)

    def _flush(self, segment: OpenSegment, descriptor: int) -> None:
        lines = segment.seq
        try:
            self._system_flush(descriptor)
            is_named = segment.flushed > 0 or self._flush_name(segment.path.parent)
        except OSError as error:
            with self._lock:
                segment.fault = error
                self._faulty.append(segment)
            return
        if is_named:
            segment.flushed = max(segment.flushed, lines)

    def _flush_name(self, directory: Path) -> bool:
        """Bring the name of a new file to the disk; False when that must be tried again."""
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        except OSError:
            return False
        try:
            self._system_flush(descriptor)
        except OSError as error:
            # Not every file system can flush a directory, such as some that are mounted from elsewhere.
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
                raise
        finally:
            os.close(descriptor)
        return True


class _Thread:
    """What a thread and the one who started it share."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._stopped = threading.Lock()
        self._stopped.acquire()
        self.ended = threading.Lock()
        self.ended.acquire()

    def is_stopped(self) -> bool:
        """Whether it shall end; waits for it as long as the delay."""
        return self._stopped.acquire(timeout=self._delay)

    def stop(self) -> None:
        """Have it end, and wait for that a short while."""
        self._stopped.release()
        self.ended.acquire(timeout=_LONGEST_PAUSE)
