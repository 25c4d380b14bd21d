"""Reads segments: whole intact lines go on, damaged ones come back with their reason, a torn tail waits."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from monitor.spool.format import FOOTER, SUFFIX, Header, decode_header, is_intact

_HEADER_LIMIT = 64 * 2**10
_FOOTER_MARK = b',"kind":"%b"' % FOOTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A piece of a segment that is not a record; `content` is as it stands in the file.

    `offset` is its first byte in the file, None where only the content is known.
    """

    offset: int | None
    reason: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What stood between two offsets of a segment.

    `lines` are intact and without their newlines, header and footer included; `next_offset` is where to go on.
    `is_last` says that nothing can follow: the writer is gone, or has ended the segment.
    """

    lines: tuple[bytes, ...]
    damages: tuple[Damage, ...]
    next_offset: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the spool whose header could be read."""

    path: Path
    header: Header

    @property
    def id(self) -> str:
        """The random id inside the file: renamed or copied back, a segment stays the same one."""
        return self.header.segment

    def size(self) -> int:
        """Bytes of the file now."""
        return self.path.stat().st_size

    def read(self, offset: int, limit: int) -> Batch:
        """Read at most about `limit` bytes of whole lines from `offset`; a single longer line is read whole."""
        # Asked before reading: what a writer wrote before it died is then surely seen.
        is_gone = self.is_writer_gone()
        content, at_end = _read_lines(self.path, offset, limit)
        end = content.rfind(b"\n") + 1
        lines, damages = _sort(content[:end], offset)
        tail = content[end:]
        if tail and at_end and is_gone:
            damages.append(Damage(offset=offset + end, reason="torn", content=tail))
            end = len(content)
        is_ended = bool(lines) and _FOOTER_MARK in lines[-1][:64]
        is_last = at_end and end == len(content) and (is_gone or is_ended)
        return Batch(lines=tuple(lines), damages=tuple(damages), next_offset=offset + end, is_last=is_last)

    def is_writer_gone(self) -> bool:
        """Whether nobody holds the segment any more; the writer locks it for as long as it lives."""
        with self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True


def list_segments(directory: Path) -> tuple[list[Segment], list[Path]]:
    """The segments of a spool, oldest name first, and the files that have no readable header (yet)."""
    segments, headless = [], []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        header = _read_header(path)
        if header is None:
            headless.append(path)
        else:
            segments.append(Segment(path, header))
    return segments, headless


def _read_header(path: Path) -> Header | None:
    try:
        with path.open("rb") as file:
            line = file.readline(_HEADER_LIMIT)
    except FileNotFoundError:
        return None
    return decode_header(line.rstrip(b"\n")) if line.endswith(b"\n") else None


def _read_lines(path: Path, offset: int, limit: int) -> tuple[bytes, bool]:
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        content = file.read(limit)
        while content and b"\n" not in content and (more := file.read(limit)):
            content += more
        return content, file.tell() >= os.fstat(file.fileno()).st_size


def _sort(content: bytes, offset: int) -> tuple[list[bytes], list[Damage]]:
    lines = content.split(b"\n")
    lines.pop()
    # The good path is one comprehension; offsets are only counted where something is damaged.
    intact = [line for line in lines if is_intact(line)]
    if len(intact) == len(lines):
        return lines, []
    damages = []
    for line in lines:
        if not is_intact(line):
            damages.append(Damage(offset=offset, reason="checksum", content=line))
        offset += len(line) + 1
    return intact, damages
