"""Only one process owns a data directory's ledger at a time."""

import fcntl
import os
from pathlib import Path
from typing import Self

from monitor.errors import LeaseError


class Lease:
    """An exclusive lock on the data directory; it ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        """Take the lease.

        Raises:
            LeaseError: another process has it; the text names its process number.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise LeaseError(
                f"The data directory {path.parent} is in use by another monitor process (process {holder}). "
                "Stop it first, or set MONITOR_HOME to another directory."
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode("ascii"), 0)

    def release(self) -> None:
        """Give the lease back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
