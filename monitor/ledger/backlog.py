"""How far the ledger is behind the spool: in bytes, in lines and in time."""

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from monitor.ledger.intake import Position
from monitor.records import IMPORT
from monitor.spool.reader import Segment, is_coming, is_held, shown

_COUNTED: Final = 16 * 2**20
_LOOKED_AT: Final = 100
_LONGEST_LINE: Final = 2**16
_LATE: Final = "late"
_COMES_WITHIN: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Headless:
    """Files on the spool without a readable header.

    Attributes:
        waiting: bytes of those that are being written now: their header may yet come.
        files: how many others there are: nothing of ours will come of them.
        bytes: of these.
    """

    waiting: int = 0
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits on the spool.

    Attributes:
        bytes: all that is unread, and may be read.
        lines: those that are unread; of a large backlog an estimate from its first part, see `is_estimate`. None where
            nothing of what waits could be looked at.
        seconds: the age of the oldest unread line; None where nothing waits, or nothing tells its time.
        faults: the files that the disk does not give back, each in a sentence; they are tried again and again.
        headless: the files that are no segments, or not yet.
    """

    bytes: int
    lines: int | None
    is_estimate: bool
    seconds: float | None
    faults: tuple[str, ...] = ()
    headless: Headless = Headless()


class _Line(msgspec.Struct, frozen=True):
    started_at: datetime | None = None
    duration: float | None = None
    source: str | None = None
    usage_source: str | None = None


_decode: Final = msgspec.json.Decoder(_Line).decode


def headless_of(paths: Sequence[Path], now: datetime) -> Headless:
    """What the files come to that have no readable header; `now` is aware."""
    waiting = files = size = 0
    for path in paths:
        try:
            facts = path.lstat()
        except OSError:
            continue
        # A link, a pipe or a directory has no bytes of a segment, whatever it leads to.
        is_file = stat.S_ISREG(facts.st_mode)
        # Who makes a copy holds no lock.
        is_new = now.timestamp() - facts.st_mtime < _COMES_WITHIN
        if is_file and facts.st_size and (is_held(path) or (is_new and is_coming(path))):
            waiting += facts.st_size
        elif not is_file or facts.st_size:
            # An empty file was a writer's that died at once; it is deleted after a while.
            files += 1
            size += facts.st_size if is_file else 0
    return Headless(waiting=waiting, files=files, bytes=size)


def backlog(
    segments: Sequence[Segment], positions: Mapping[str, Position], headless: Headless, now: datetime
) -> Backlog:
    """Measure it.

    Args:
        segments: all of the spool, each once.
        positions: how far they are read.
        headless: the files that are no segments, or not yet.
        now: aware, for the age.
    """
    unread = {segment: unread_of(segment, positions) for segment in segments}
    waiting = {segment: size for segment, size in unread.items() if size}
    total = sum(waiting.values())
    counted, lines, oldest, faults = 0, 0, list[datetime](), list[str]()
    for number, (segment, size) in enumerate(waiting.items()):
        try:
            content = _read(segment, positions, min(size, max(_COUNTED - counted, 0)))
            start = content or (_read(segment, positions, _LONGEST_LINE) if number < _LOOKED_AT else b"")
        except OSError as error:
            faults.append(f"The segment {shown(segment.path)} cannot be read: {error.strerror}. Its lines wait.")
            continue
        counted += len(content)
        lines += content.count(b"\n")
        if number < _LOOKED_AT and (written := _written_at(start, segment)):
            oldest.append(written)
    is_estimate = counted < total
    if is_estimate and counted:
        lines = round(lines * total / counted)
    known = lines if counted or not (total or headless.waiting) else None
    age = max((now - min(oldest)).total_seconds(), 0.0) if oldest else None
    return Backlog(
        bytes=total + headless.waiting,
        lines=known,
        is_estimate=is_estimate,
        seconds=age,
        faults=tuple(faults),
        headless=headless,
    )


def unread_of(segment: Segment, positions: Mapping[str, Position]) -> int:
    """Bytes of a segment beyond what is read."""
    return max(segment.size() - positions.get(segment.id, Position()).offset, 0)


def _read(segment: Segment, positions: Mapping[str, Position], size: int) -> bytes:
    try:
        with segment.path.open("rb") as file:
            file.seek(positions.get(segment.id, Position()).offset)
            return file.read(size)
    except FileNotFoundError:
        return b""


def _written_at(content: bytes, segment: Segment) -> datetime | None:
    """When the first line was written: the end of its request, or what else it tells of."""
    try:
        line = _decode(content.partition(b"\n")[0])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    told = None if line.started_at is None else _later(line.started_at, line.duration or 0.0)
    if told is None or (line.source != IMPORT and line.usage_source != _LATE):
        return told
    # The request, or that of a batch, was long ago; its line is no older than the segment.
    return max(told, _moment(segment.header.started_at) or _changed_at(segment) or told)


def _later(moment: datetime, seconds: float) -> datetime | None:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return datetime.fromtimestamp(moment.timestamp() + seconds, UTC)
    except (ValueError, OverflowError, OSError):
        # A damaged line, whose checksum nobody has looked at yet.
        return None


def _moment(text: str) -> datetime | None:
    try:
        return _later(datetime.fromisoformat(text), 0.0)
    except ValueError:
        return None


def _changed_at(segment: Segment) -> datetime | None:
    try:
        return datetime.fromtimestamp(segment.path.lstat().st_mtime, UTC)
    except OSError:
        return None
