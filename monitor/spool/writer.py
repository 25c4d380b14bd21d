"""Appends lines to the spool: one segment a process and fork, one `write` a line, no queue."""

import atexit
import contextlib
import errno
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from monitor.clock import Clock, system_clock
from monitor.errors import HomeError, SpoolFullError
from monitor.health import Health
from monitor.spool.flushing import Flusher, Start, flush_file, start_thread
from monitor.spool.format import BEGIN, DROPPED, END, HEADER, encode_facts
from monitor.spool.opening import new_segment
from monitor.spool.room import Room
from monitor.spool.segment import OpenSegment, Write
from monitor.spool.trouble import FLUSHING, REMOVED, Trouble

_UNWRITABLE: Final = (OSError, HomeError, SpoolFullError)
_LOOK_EVERY: Final = 1.0
_LONGEST_UNFLUSHED: Final = 300.0
_NOW: Final = float("-inf")


class SpoolWriter:
    """The one writer of its process for one spool directory.

    When `append` returns True the line is in the hands of the operating system: the death of the process cannot
    lose it. What the death of the machine may take is chosen by `durability`: "os" the last second of each process,
    "group" the last 50 ms, "fsync" nothing. After a fork the child begins a segment of its own.
    """

    _is_busy: bool

    def __init__(
        self,
        directory: Path,
        *,
        segment_size: int,
        health: Health,
        durability: str = "os",
        limit: int | None = None,
        prepare: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        calendar: Clock = system_clock,
        write: Write = os.write,
        flush: Callable[[int], None] = flush_file,
        start: Start = start_thread,
    ) -> None:
        """Touches no file; the segment is made at the first line.

        Args:
            directory: the spool directory.
            segment_size: bytes after which a segment is ended and the next one begun.
            health: where dropped lines are counted.
            durability: "os", "group" or "fsync".
            limit: bytes of all segments in the directory, beyond which lines are dropped; None for no limit.
            prepare: makes the directory; None where it must exist. May raise `HomeError`.
            clock: seconds that never go back.
            calendar: for the names and headers of segments; nothing depends on it.
            write: puts bytes into a file, as `os.write` does.
            flush: brings a file to the disk, as `os.fdatasync` does.
            start: starts a thread.
        """
        self._directory = directory
        self._segment_size = segment_size
        self._health = health
        self._prepare = prepare
        self._clock = clock
        self._calendar = calendar
        self._system_write = write
        self._durability = durability
        self._system_flush = flush
        self._start = start
        self._limit = limit
        self._room = Room(directory, limit, clock)
        self._other: SpoolWriter | None = None
        self._forget()
        _hook(self)

    def begin(self, facts: msgspec.Struct) -> bool:
        """Append a begin line; False when it had to be dropped."""
        return self.append(BEGIN, facts)

    def end(self, facts: msgspec.Struct) -> bool:
        """Append an end line; False when it had to be dropped."""
        return self.append(END, facts)

    def append(self, kind: bytes, facts: msgspec.Struct) -> bool:
        """Append one line; False when it had to be dropped."""
        return self.put(kind, encode_facts(facts))

    def put(self, kind: bytes, *inners: bytes) -> bool:
        """Append lines of encoded facts by one write; False when they had to be dropped.

        What is dropped is counted, and told on the spool as soon as writing works again. Raises nothing for a full
        disk, a directory that is read-only or missing or anything else the system says; while that lasts, most lines
        are dropped at once, and now and then it is tried again.
        """
        with self._lock:
            if self._is_busy:
                return self._aside().put(kind, *inners)
            self._is_busy = True
            is_whole = False
            try:
                # Two comparisons stand for all that is not usual, as most of a call's overhead is here.
                if self._clock() >= self._next_look and not self._is_ready():
                    self._drop(self._trouble.reason, len(inners))
                    return False
                self._segment.append(self._system_write, kind, inners)
                is_whole = True
                if self._segment.size >= self._threshold:
                    self._tidy()
            except _UNWRITABLE as error:
                self._drop(self._trouble.met(error), len(inners))
            finally:
                # After a fault of any kind the segment may lack a number; the next line begins another.
                if not is_whole:
                    self._abandon()
                self._is_busy = False
            return is_whole

    def check(self) -> bool:
        """Whether lines could be written now; if not, the log tells why. Makes the directory, but no segment."""
        with self._lock:
            try:
                self._prepared()
                if not os.access(self._directory, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            except _UNWRITABLE as error:
                self._trouble.met(error)
                return False
            return True

    def close(self) -> None:
        """End the segment with a footer; a later `append` begins a new one."""
        with self._lock:
            if not self._is_busy:
                self._is_busy = True
                try:
                    self._end()
                finally:
                    self._is_busy = False
            if self._other is not None:
                self._other.close()

    def _end(self) -> None:
        if self._dropped:
            # The last chance to tell it.
            with contextlib.suppress(OSError):
                if self._segment.is_closed:
                    self._open_segment()
                self._tell_dropped()
        self._seal(self._segment)
        self._flusher.settle()
        self._meet_faults()

    def _forget(self) -> None:
        # Re-entrant: a garbage collection inside the lock may run a finalizer that appends.
        self._lock = threading.RLock()
        self._is_busy = False
        self._segment: OpenSegment = OpenSegment(self._directory, "")
        self._dropped: dict[str, int] = {}
        self._seq_seen: int = 0
        # When to look whether all is as it should be, and from which size on there is something to tidy.
        self._next_look: float = _NOW
        self._threshold: float = 0
        self._room_ends: float = 0
        self._trouble: Trouble = Trouble(self._directory, self._clock)
        self._flush_trouble: Trouble = Trouble(
            self._directory, self._clock, telling=FLUSHING, longest_wait=_LONGEST_UNFLUSHED
        )
        self._flusher: Flusher = Flusher(
            self._durability, self._lock, flush=self._system_flush, start=self._start, clock=self._clock
        )

    def _aside(self) -> "SpoolWriter":
        """The writer of lines that come in the middle of another one, from a finalizer or a signal's handler."""
        if self._other is None:
            self._other = SpoolWriter(
                self._directory,
                segment_size=self._segment_size,
                health=self._health,
                durability=self._durability,
                limit=self._limit,
                prepare=self._prepare,
                clock=self._clock,
                calendar=self._calendar,
                write=self._system_write,
                flush=self._system_flush,
                start=self._start,
            )
        return self._other

    def _before_fork(self) -> None:
        self._flusher.pause()

    def _after_fork(self) -> None:
        self._flusher.go_on()

    def _after_fork_in_child(self) -> None:
        # The child only lets go of what belongs to its parent; closing here ends no lock of the parent.
        self._segment.close()
        self._forget()

    def _leave(self) -> None:
        self.close()
        self._flusher.end()

    def _is_ready(self) -> bool:
        """Look at all that keeps from writing; False where it is too early to try again."""
        if self._segment.is_closed:
            if self._trouble.is_waiting():
                return False
            self._open()
        else:
            self._look()
        if self._dropped:
            self._tell_dropped()
        return True

    def _look(self) -> None:
        """A file that somebody removed takes lines as before, and nobody will ever read them."""
        if os.fstat(self._segment.descriptor).st_nlink == 0:
            lines = self._segment.seq - self._seq_seen
            self._abandon()
            self._drop(REMOVED, lines)
            self._open()
        elif self._room.is_due:
            self._measure()
        self._seen()

    def _seen(self) -> None:
        self._next_look = self._clock() + _LOOK_EVERY
        self._seq_seen = self._segment.seq
        self._threshold = 0

    def _measure(self) -> None:
        try:
            self._room_ends = self._segment.size + self._room.measure()
        except SpoolFullError:
            # Ended, so that it can be taken in and removed.
            self._seal(self._segment)
            raise

    def _tidy(self) -> None:
        """After a line: whatever is due besides writing it."""
        self._flusher.tend()
        self._meet_faults()
        if self._segment.size >= self._room_ends:
            try:
                self._measure()
            except SpoolFullError as error:
                self._trouble.met(error)
                return
        if self._segment.size >= self._segment_size:
            self._rotate()
        elif self._trouble.is_on:
            self._trouble.is_over()
        is_uneasy = self._trouble.is_on or self._flush_trouble.is_on or self._flusher.is_prompt
        self._threshold = 0 if is_uneasy else min(self._segment_size, self._room_ends)

    def _prepared(self) -> None:
        if self._prepare is not None:
            self._prepare()

    def _open(self) -> None:
        self._prepared()
        self._room_ends = self._room.measure()
        self._open_segment()

    def _open_segment(self) -> None:
        self._segment, header = new_segment(self._directory, self._calendar)
        try:
            self._segment.append(self._system_write, HEADER, (encode_facts(header),))
        finally:
            if not self._segment.size:
                # On a full disk every call would leave an empty file behind, which nothing ever takes away.
                self._abandon()
                with contextlib.suppress(OSError):
                    self._segment.path.unlink()
        self._flusher.follow(self._segment)
        self._seen()

    def _rotate(self) -> None:
        if self._trouble.is_waiting():
            return
        # The next segment is opened before the old one is let go: for the drain this process never seems dead.
        old, is_full = self._segment, False
        try:
            self._open()
        except _UNWRITABLE as error:
            self._trouble.met(error)
            is_full = isinstance(error, SpoolFullError)
        finally:
            is_begun = self._segment is not old and not self._segment.is_closed
            if not is_begun:
                self._segment = old
        if is_begun or is_full:
            self._seal(old)

    def _seal(self, segment: OpenSegment) -> None:
        if not segment.is_closed:
            segment.seal(self._system_write)
            self._let_go(segment)

    def _abandon(self) -> None:
        if not self._segment.is_closed:
            self._let_go(self._segment)

    def _let_go(self, segment: OpenSegment) -> None:
        segment.close()
        self._next_look = _NOW
        if segment.fault is not None:
            self._count_unflushed(segment)

    def _meet_faults(self) -> None:
        """A segment that could not be flushed is ended, and the next one begun."""
        was_well = not self._flush_trouble.is_on
        for segment in self._flusher.take_faulty():
            self._flush_trouble.met(segment.fault or OSError())
            if segment.is_closed:
                self._count_unflushed(segment)
        if self._segment.is_closed:
            return
        if self._segment.fault is None:
            if self._flush_trouble.is_on and self._segment.flushed:
                self._flush_trouble.is_over()
        elif was_well or not self._flush_trouble.is_waiting():
            # At once the first time; where the next one fails too, more and more rarely.
            self._rotate()

    def _count_unflushed(self, segment: OpenSegment) -> None:
        self._health.count("lines_unflushed_total", segment.seq - segment.flushed)
        segment.flushed = segment.seq

    def _drop(self, reason: str, lines: int) -> None:
        if lines:
            self._dropped[reason] = self._dropped.get(reason, 0) + lines
            self._health.count("calls_dropped_total", lines)

    def _tell_dropped(self) -> None:
        while self._dropped:
            reason, lines = next(iter(self._dropped.items()))
            facts = encode_facts({"reason": reason, "count": lines})
            self._segment.append(self._system_write, DROPPED, (facts,))
            del self._dropped[reason]


def _hook(writer: SpoolWriter) -> None:
    """Have the system tell the writer of forks and of the end of the program."""
    os.register_at_fork(
        before=_Weakly(writer, SpoolWriter._before_fork),  # noqa: SLF001 - the hooks belong to the writer
        after_in_parent=_Weakly(writer, SpoolWriter._after_fork),  # noqa: SLF001 - as above
        after_in_child=_Weakly(writer, SpoolWriter._after_fork_in_child),  # noqa: SLF001 - as above
    )
    atexit.register(_Weakly(writer, SpoolWriter._leave))  # noqa: SLF001 - as above


class _Weakly:
    """Calls a method of the writer while it lives; process-wide hooks must not keep it alive."""

    def __init__(self, writer: SpoolWriter, method: Callable[[SpoolWriter], None]) -> None:
        self._writer = weakref.ref(writer)
        self._method = method

    def __call__(self) -> None:
        writer = self._writer()
        if writer is not None:
            self._method(writer)
