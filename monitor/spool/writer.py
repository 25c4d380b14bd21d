"""Appends lines to the spool: one segment a process and fork, one `write` a line, no thread, no queue."""

import atexit
import contextlib
import errno
import fcntl
import os
import secrets
import socket
import threading
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from monitor.health import Health
from monitor.spool.format import BEGIN, DROPPED, END, FOOTER, FORMAT_VERSION, HEADER, SUFFIX, Header, encode_facts, line_of

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_REASONS = {errno.ENOSPC: "disk_full", errno.EDQUOT: "disk_full", errno.EFBIG: "disk_full", errno.EROFS: "read_only"}


class SpoolWriter:
    """The one writer of its process for one spool directory.

    When `append` returns True the line is in the hands of the operating system: the death of the process cannot
    lose it. Nothing has to be flushed or joined at exit. After a fork the child begins a segment of its own.
    """

    def __init__(self, directory: Path, *, segment_size: int, health: Health) -> None:
        """Touches no file; the segment is made at the first line.

        Args:
            directory: the spool directory; it must exist.
            segment_size: bytes after which a segment is ended and the next one begun.
            health: where dropped lines are counted.
        """
        self._directory = directory
        self._segment_size = segment_size
        self._health = health
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

        What is dropped is counted, and told on the spool later. Raises nothing for a full disk, a read-only directory
        or a missing one.
        """
        with self._lock:
            try:
                if self._descriptor is None:
                    self._open_segment()
                if self._dropped:
                    self._tell_dropped()
                self._write(kind, *inners)
            except OSError as error:
                self._drop(_REASONS.get(error.errno or 0, "write_failed"), len(inners))
                return False
            if self._size >= self._segment_size:
                self._rotate()
            return True

    def close(self) -> None:
        """End the segment with a footer; a later `append` begins a new one."""
        with self._lock:
            self._seal()

    def _forget(self) -> None:
        # Re-entrant: a garbage collection inside the lock may run a finalizer that appends.
        self._lock = threading.RLock()
        self._descriptor: int | None = None
        self._seq = 0
        self._size = 0
        self._dropped: dict[str, int] = {}

    def _after_fork(self) -> None:
        # The child only lets go of what belongs to its parent; closing here ends no lock of the parent.
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._forget()

    def _open_segment(self) -> None:
        segment = secrets.token_hex(16)
        now = datetime.now(UTC)
        path = self._directory / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}-{segment[:8]}{SUFFIX}"
        descriptor = os.open(path, _FLAGS, 0o600)
        try:
            # Held as long as this process lives: the drain takes it to learn that the writer is gone. It works
            # where process numbers do not, between containers that share the directory.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self._seq, self._size = descriptor, 0, 0
        header = Header(
            segment=segment,
            format=FORMAT_VERSION,
            host=socket.gethostname(),
            pid=os.getpid(),
            process_started_at=_process_started_at(),
            started_at=now.isoformat(),
        )
        try:
            self._write(HEADER, encode_facts(header))
        except OSError:
            # On a full disk every call would leave an empty file behind, which nothing ever takes away.
            self._abandon()
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def _drop(self, reason: str, lines: int) -> None:
        self._dropped[reason] = self._dropped.get(reason, 0) + lines
        self._health.count("calls_dropped_total", lines)
        self._abandon()

    def _tell_dropped(self) -> None:
        while self._dropped:
            reason, count = next(iter(self._dropped.items()))
            self._write(DROPPED, encode_facts({"reason": reason, "count": count}))
            del self._dropped[reason]

    def _write(self, kind: bytes, *inners: bytes) -> None:
        if self._descriptor is None:
            raise OSError(errno.EBADF, "the segment is not open")
        # Taken before the write: a finalizer that appends in between must get the next ones.
        seq = self._seq
        self._seq += len(inners)
        if len(inners) == 1:
            content = line_of(seq, kind, inners[0])
        else:
            content = b"".join(line_of(number, kind, inner) for number, inner in enumerate(inners, seq))
        written = os.write(self._descriptor, content)
        if written != len(content):
            # A full disk takes the first part of a line; cut it off again, so that the file stays whole lines.
            os.ftruncate(self._descriptor, self._size)
            self._seq = seq
            raise OSError(errno.ENOSPC, "the disk took only part of a line")
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
            self._open_segment()
        except OSError:
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


def _process_started_at() -> float | None:
    """Start of this process in clock ticks since boot (Linux), None elsewhere: tells a reused process number."""
    try:
        stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        return float(stat.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
