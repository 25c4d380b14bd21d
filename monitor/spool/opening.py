"""Makes the file of a new segment."""

import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import Final

from monitor.clock import Clock
from monitor.spool.format import FORMAT_VERSION, SUFFIX, Header
from monitor.spool.segment import OpenSegment

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def new_segment(directory: Path, clock: Clock) -> tuple[OpenSegment, Header]:
    """An empty, locked file, open for appending; and the header to write into it first."""
    segment = secrets.token_hex(16)
    now = clock()
    # The id stands in the name as well: it is what is left of it when the header is damaged.
    path = directory / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}-{segment}{SUFFIX}"
    header = Header(
        segment=segment,
        format=FORMAT_VERSION,
        host=socket.gethostname(),
        pid=os.getpid(),
        process_started_at=_process_started_at(),
        started_at=now.isoformat(),
        boot_id=_boot_id(),
    )
    return OpenSegment(path, segment, _opened(path)), header


def _opened(path: Path) -> int:
    descriptor, is_locked = os.open(path, _FLAGS, 0o600), False
    try:
        # Held as long as this process lives: the drain takes it to learn that the writer is gone. It works where
        # process numbers do not, between containers that share the directory.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_locked = True
    finally:
        if not is_locked:
            os.close(descriptor)
            path.unlink()
    return descriptor


def _process_started_at() -> float | None:
    """Start of this process in clock ticks since boot (Linux), None elsewhere: tells a reused process number."""
    try:
        stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        return float(stat.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _boot_id() -> str | None:
    """Which boot of the machine this is (Linux), None elsewhere: after the next one all numbers begin anew."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None
