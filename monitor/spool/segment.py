"""A segment that is being written."""

import contextlib
import errno
import os
from collections.abc import Callable, Sequence
from itertools import count, repeat
from pathlib import Path
from typing import Final

import msgspec

from monitor.spool.format import FOOTER, encode_facts, line_of

CLOSED: Final = -1
Write = Callable[[int, bytes], int]
"""Puts bytes into a file, as `os.write` does."""


class OpenSegment(msgspec.Struct, eq=False):
    """A segment and how far its writer is: `seq` is the number of its next line, `size` its bytes.

    `flushed` is how many of its lines are known to be on the disk. A segment with a `fault` could not be flushed and
    never is again: a second flush may succeed though the first one has lost pages.
    """

    path: Path
    id: str
    descriptor: int = CLOSED
    seq: int = 0
    size: int = 0
    flushed: int = 0
    fault: OSError | None = None

    @property
    def is_closed(self) -> bool:
        """Whether its file was let go."""
        return self.descriptor == CLOSED

    def append(self, write: Write, kind: bytes, inners: Sequence[bytes]) -> None:
        """Write lines of encoded facts, all of them or none.

        Raises:
            OSError: the system could not take them.
        """
        seq = self.seq
        if len(inners) == 1:
            content = line_of(seq, kind, inners[0])
        else:
            content = b"".join(map(line_of, count(seq), repeat(kind), inners))
        written = write(self.descriptor, content)
        if written != len(content):
            # A full disk takes the first part of a line; cut it off again, so that the file stays whole lines.
            os.ftruncate(self.descriptor, self.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.seq = seq + len(inners)
        self.size += written

    def seal(self, write: Write) -> None:
        """Write the footer, which names the segment again, and says when some of it may not be on the disk."""
        facts: dict[str, object] = {"segment": self.id}
        if self.fault is not None:
            facts |= {"reason": "flush_failed", "count": self.seq - self.flushed}
        with contextlib.suppress(OSError):
            self.append(write, FOOTER, (encode_facts(facts),))

    def close(self) -> None:
        """Let go of the file, and of its lock."""
        descriptor, self.descriptor = self.descriptor, CLOSED
        if descriptor != CLOSED:
            with contextlib.suppress(OSError):
                os.close(descriptor)
