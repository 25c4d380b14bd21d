"""Reads segments: whole intact lines go on, damaged ones come back with their reason, a torn tail waits."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from monitor.spool.format import FOOTER, SUFFIX, Header, begins_header, intact_of, is_intact
from monitor.spool.heads import read_header
from monitor.spool.numbers import Seen, look
from monitor.spool.rescue import rescue

_FOOTER_MARK = b',"kind":"%b"' % FOOTER
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_LONGEST_BACK = 2**20
_LONGEST_HEADER = 2**16
LONGEST_KEPT = 2**16
"""Bytes of a damaged piece that are kept."""

_HOLE = b"\0"
"""A byte that no line has: JSON escapes it. A disk that lost pages gives these, perhaps gigabytes without a newline."""

_LONGEST_LINE = 256 * 2**20
"""Longer than any that a writer makes: prompt and answer are kept up to 8 MiB each, and JSON may escape them."""

_LINE_MARK = b'{"seq":'

_Mark = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A piece of a segment that is not a record; `content` is how it begins there, up to 64 KiB.

    `offset` is its first byte in the file, None where only the content is known.
    """

    offset: int | None
    reason: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What stood between two offsets of a segment.

    `lines` are intact and without their newlines, header and footer included; `next_offset` is where to go on.
    `is_last` says that nothing can follow: the writer is gone, or has ended the segment. `seen` are the numbers that
    are read with it, `repeated` the intact lines that were left out as they had been read before; None and zero where
    the numbers were not looked at.
    """

    lines: tuple[bytes, ...]
    damages: tuple[Damage, ...]
    next_offset: int
    is_last: bool
    seen: Seen | None = None
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the spool whose header could be read."""

    path: Path
    header: Header

    @property
    def id(self) -> str:
        """The random id inside the file: renamed or copied back, a segment stays the same one."""
        return self.header.segment

    @property
    def name(self) -> str:
        """The name of the file, for tables and people: see `shown`."""
        return shown(self.path.name)

    def size(self) -> int:
        """Bytes of the file now; zero when somebody removed it."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def read(self, offset: int, limit: int, seen: Seen | None = None) -> Batch:
        """Read at most about `limit` bytes of whole lines from `offset`; a single longer line is read whole.

        A file that cannot be read now gives an empty batch, so that one bad file does not hold up the others.

        Args:
            offset: where to begin.
            limit: bytes.
            seen: the numbers that were read of the segment before, `Seen()` for none. Lines that were read are left
                out, so reading again from the start gives what was damaged then and is whole now; an offset in the
                middle of a line, as the end of a torn copy is, means its start. None: the numbers are not looked at.
        """
        try:
            with _opened(self.path) as file:
                # Asked before reading: what a writer wrote before it died is then surely seen.
                is_gone = _is_free(file)
                offset = _start(file, offset, goes_back=seen is not None)
                content, at_end = _content(file, offset, limit)
        except OSError:
            return Batch(lines=(), damages=(), next_offset=offset, is_last=False, seen=seen)
        return _batch(content, offset, seen, at_end=at_end, is_gone=is_gone)

    def is_writer_gone(self) -> bool:
        """Whether nobody holds the segment any more; the writer locks it for as long as it lives."""
        return not is_held(self.path)


def shown(path: Path | str) -> str:
    """A path or a name as text that can be stored and printed; bytes that are no UTF-8 as U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")


def is_held(path: Path) -> bool:
    """Whether somebody still writes to this file; so it is taken where it cannot be opened but is there."""
    try:
        with _opened(path) as file:
            return not _is_free(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def is_coming(path: Path) -> bool:
    """Whether a file without a header is only the first part of one, as a copy is that is being made."""
    try:
        with _opened(path) as file:
            return begins_header(file.read(_LONGEST_HEADER))
    except OSError:
        return False


class Heads:
    """Remembers the headers of segments, of which thousands may stand there until they are let go.

    A file that has changed since, or another one of its name, is read again: inode, size and time of change tell.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[Path, tuple[_Mark, Header]] = {}

    def of(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Header | None]]:
        """Each path with its header; None where it has none that can be read (yet). Other paths are forgotten."""
        known, self._known = self._known, {}
        for path in paths:
            mark = _mark(path)
            found = known.get(path)
            header = found[1] if found is not None and found[0] == mark else _read_header(path)
            if mark is not None and header is not None:
                self._known[path] = mark, header
            yield path, header


def _mark(path: Path) -> _Mark | None:
    try:
        facts = path.lstat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns


def list_segments(directory: Path, heads: Heads | None = None) -> tuple[list[Segment], list[Path]]:
    """The segments of a spool, oldest name first, and the files that are none: no readable header (yet).

    Args:
        directory: the spool.
        heads: where what was read at an earlier listing is remembered.
    """
    segments, headless = [], []
    paths = sorted(directory.glob(f"*{SUFFIX}"), key=attrgetter("name"))
    for path, header in (heads or Heads()).of(paths):
        if header is not None:
            segments.append(Segment(path, header))
        elif path.exists():
            headless.append(path)
    return segments, headless


def _read_header(path: Path) -> Header | None:
    try:
        with _opened(path) as file:
            return read_header(file, path, is_free=partial(_is_free, file))
    except OSError:
        return None


def _opened(path: Path) -> BinaryIO:
    # A pipe or a link of that name must neither hold up nor lead elsewhere.
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def _is_free(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(file: BinaryIO, offset: int, *, goes_back: bool) -> int:
    """Where the line begins that `offset` stands in."""
    around = os.pread(file.fileno(), 2, offset - 1) if offset else b"\n"
    if around.startswith(b"\n"):
        return offset
    if around.endswith(b"\n"):
        # Of a copy that was torn just before the newline.
        return offset + 1
    begin = max(offset - _LONGEST_BACK, 0)
    found = os.pread(file.fileno(), offset - begin, begin).rfind(b"\n") if goes_back else -1
    return offset if found < 0 else begin + found + 1


def _content(file: BinaryIO, offset: int, limit: int) -> tuple[bytes, bool]:
    file.seek(offset)
    content = file.read(limit)
    while content and b"\n" not in content and not _is_hole(content) and (more := file.read(limit)):
        content += more
    return content, file.tell() >= os.fstat(file.fileno()).st_size


def _is_hole(content: bytes) -> bool:
    """Whether no newline need be waited for: more of this would only fill the memory."""
    return len(content) >= _LONGEST_LINE or (len(content) >= _LONGEST_BACK and _HOLE in content)


def _batch(content: bytes, offset: int, seen: Seen | None, *, at_end: bool, is_gone: bool) -> Batch:
    end = content.rfind(b"\n") + 1
    lines, damages = _sort(content, offset)
    if not end and not at_end and _is_hole(content):
        # A line may begin behind the hole and go on beyond what was read.
        begin = content.rfind(_LINE_MARK, max(len(content) - _LONGEST_BACK, 1))
        end = len(content) if begin < 0 else begin
        lines, damages = _rescued(content[:end], offset, "checksum")
    elif end < len(content) and at_end and is_gone:
        more, torn = _rescued(content[end:], offset + end, "torn")
        lines, damages, end = [*lines, *more], [*damages, *torn], len(content)
    is_ended = bool(lines) and _FOOTER_MARK in lines[-1][:64]
    new: Sequence[bytes] = lines
    if seen is not None:
        new, seen = look(lines, seen, is_damaged=bool(damages))
    return Batch(
        lines=tuple(new),
        damages=tuple(damages),
        next_offset=offset + end,
        is_last=at_end and end == len(content) and (is_gone or is_ended),
        seen=seen,
        repeated=len(lines) - len(new),
    )


def _sort(content: bytes, offset: int) -> tuple[list[bytes], list[Damage]]:
    """The lines that end in the content, and what is damaged of it; what stands behind the last newline is left."""
    pieces = content.split(b"\n")
    pieces.pop()
    # On the good path nothing is done piece by piece; offsets are only counted where something is damaged.
    intact = intact_of(pieces)
    if len(intact) == len(pieces):
        return pieces, []
    lines, damages = list[bytes](), list[Damage]()
    for piece in pieces:
        if is_intact(piece):
            lines.append(piece)
        else:
            more, others = _rescued(piece, offset, "checksum")
            lines += more
            damages += others
        offset += len(piece) + 1
    return lines, damages


def _rescued(piece: bytes, offset: int, reason: str) -> tuple[list[bytes], list[Damage]]:
    """The intact lines in a piece that is none, and what is left of it."""
    lines, rest = rescue(piece)
    return lines, [Damage(offset=offset + place, reason=reason, content=part[:LONGEST_KEPT]) for place, part in rest]
