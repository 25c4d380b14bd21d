"""Appends lines to the spool: one segment a process and fork, one `write` a line, no thread, no queue."""

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

from monitor.errors import HomeError
from monitor.health import Health
from monitor.spool.format import BEGIN, DROPPED, END, FOOTER, HEADER, encode_facts, line_of
from monitor.spool.opening import new_segment
from monitor.spool.trouble import REMOVED, Trouble

_UNWRITABLE: Final = (OSError, HomeError)
_LOOK_EVERY: Final = 1.0


class SpoolWriter:
    """The one writer of its process for one spool directory.

    When `append` returns True the line is in the hands of the operating system: the death of the process cannot
    lose it. Nothing has to be flushed or joined at exit. After a fork the child begins a segment of its own.
    """

    _is_busy: bool

    def __init__(
        self,
        directory: Path,
        *,
        segment_size: int,
        health: Health,
        prepare: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        """Touches no file; the segment is made at the first line.

        Args:
            directory: the spool directory.
            segment_size: bytes after which a segment is ended and the next one begun.
            health: where dropped lines are counted.
            prepare: makes the directory; None where it must exist. May raise `HomeError`.
            clock: seconds that never go back.
            write: puts bytes into a file, as `os.write` does.
        """
        self._directory = directory
        self._segment_size = segment_size
        self._health = health
        self._prepare = prepare
        self._clock = clock
        self._system_write = write
        self._other: SpoolWriter | None = None
        self._forget()
        os.register_at_fork(after_in_child=_forget_later(self))
        atexit.register(_close_later(self))

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
                if self._descriptor is None:
                    if self._trouble.is_waiting():
                        self._drop(self._trouble.reason, len(inners))
                        return False
                    self._open()
                elif self._clock() >= self._next_look:
                    self._look()
                if self._dropped:
                    self._tell_dropped()
                self._write(kind, *inners)
                is_whole = True
                self._tidy()
            except _UNWRITABLE as error:
                self._drop(self._trouble.met(error), len(inners))
            finally:
                # After a fault of any kind the segment may lack a number; the next line begins another.
                if not is_whole:
                    self._abandon()
                self._is_busy = False
            return is_whole

    def _tidy(self) -> None:
        if self._size >= self._segment_size:
            if not self._trouble.is_waiting():
                self._rotate()
        elif self._trouble.is_on:
            self._trouble.is_over()

    def _aside(self) -> "SpoolWriter":
        """The writer of lines that come in the middle of another one, from a finalizer or a signal's handler."""
        if self._other is None:
            self._other = SpoolWriter(
                self._directory,
                segment_size=self._segment_size,
                health=self._health,
                prepare=self._prepare,
                clock=self._clock,
                write=self._system_write,
            )
        return self._other

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
                if self._descriptor is None:
                    self._open_segment()
                self._tell_dropped()
        self._seal()

    def _forget(self) -> None:
        # Re-entrant: a garbage collection inside the lock may run a finalizer that appends.
        self._lock = threading.RLock()
        self._is_busy = False
        self._descriptor: int | None = None
        self._seq: int = 0
        self._size: int = 0
        self._dropped: dict[str, int] = {}
        self._next_look: float = 0.0
        self._seq_seen: int = 0
        self._trouble: Trouble = Trouble(self._directory, self._clock)

    def _after_fork(self) -> None:
        # The child only lets go of what belongs to its parent; closing here ends no lock of the parent.
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._forget()

    def _prepared(self) -> None:
        if self._prepare is not None:
            self._prepare()

    def _open(self) -> None:
        self._prepared()
        self._open_segment()

    def _open_segment(self) -> None:
        self._descriptor, path, header = new_segment(self._directory)
        self._seq, self._size = 0, 0
        try:
            self._write(HEADER, encode_facts(header))
        finally:
            if not self._size:
                # On a full disk every call would leave an empty file behind, which nothing ever takes away.
                self._abandon()
                with contextlib.suppress(OSError):
                    path.unlink()
        self._seen()

    def _seen(self) -> None:
        self._next_look = self._clock() + _LOOK_EVERY
        self._seq_seen = self._seq

    def _look(self) -> None:
        """A file that somebody removed takes lines as before, and nobody will ever read them."""
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:
            lines = self._seq - self._seq_seen
            self._abandon()
            self._drop(REMOVED, lines)
            self._open()
        self._seen()

    def _drop(self, reason: str, lines: int) -> None:
        if lines:
            self._dropped[reason] = self._dropped.get(reason, 0) + lines
            self._health.count("calls_dropped_total", lines)

    def _tell_dropped(self) -> None:
        while self._dropped:
            reason, count = next(iter(self._dropped.items()))
            self._write(DROPPED, encode_facts({"reason": reason, "count": count}))
            del self._dropped[reason]

    def _write(self, kind: bytes, *inners: bytes) -> None:
        if self._descriptor is None:
            raise OSError(errno.EBADF, "the segment is not open")
        seq = self._seq
        self._seq += len(inners)
        if len(inners) == 1:
            content = line_of(seq, kind, inners[0])
        else:
            content = b"".join(line_of(number, kind, inner) for number, inner in enumerate(inners, seq))
        written = self._system_write(self._descriptor, content)
        if written != len(content):
            # A full disk takes the first part of a line; cut it off again, so that the file stays whole lines.
            os.ftruncate(self._descriptor, self._size)
            self._seq = seq
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _seal(self) -> None:
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):
            self._write(FOOTER, b"")
        self._abandon()

    def _rotate(self) -> None:
        # The next segment is opened before the old one is let go: for the drain this process never seems dead.
        old = self._descriptor, self._seq, self._size
        self._descriptor = None
        try:
            self._open()
        except _UNWRITABLE as error:
            self._trouble.met(error)
            self._descriptor, self._seq, self._size = old
            return
        new = self._descriptor, self._seq, self._size
        self._descriptor, self._seq, self._size = old
        self._seal()
        self._descriptor, self._seq, self._size = new

    def _abandon(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None


def _forget_later(writer: SpoolWriter) -> "_Weakly":
    return _Weakly(writer, SpoolWriter._after_fork)  # noqa: SLF001 - the hook belongs to the writer


def _close_later(writer: SpoolWriter) -> "_Weakly":
    return _Weakly(writer, SpoolWriter.close)


class _Weakly:
    """Calls a method of the writer while it lives; process-wide hooks must not keep it alive."""

    def __init__(self, writer: SpoolWriter, method: Callable[[SpoolWriter], None]) -> None:
        self._writer = weakref.ref(writer)
        self._method = method

    def __call__(self) -> None:
        writer = self._writer()
        if writer is not None:
            self._method(writer)
