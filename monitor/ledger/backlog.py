"""How far the ledger is behind the spool: in bytes, in lines and in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from monitor.ledger.intake import Position
from monitor.spool.reader import Segment

_COUNTED: Final = 16 * 2**20
_LOOKED_AT: Final = 100
_LONGEST_LINE: Final = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits on the spool.

    Attributes:
        bytes: all that is unread, files without a readable header too.
        lines: those that are unread; of a large backlog an estimate from its first part, see `is_estimate`. None where
            nothing of what waits could be looked at.
        seconds: the age of the oldest unread line; None where nothing waits, or nothing tells its time.
        faults: the files that the disk does not give back, each in a sentence; they are tried again and again.
    """

    bytes: int
    lines: int | None
    is_estimate: bool
    seconds: float | None
    faults: tuple[str, ...] = ()


class _Line(msgspec.Struct, frozen=True):
    started_at: datetime | None = None
    duration: float | None = None


_decode: Final = msgspec.json.Decoder(_Line).decode


def backlog(segments: Sequence[Segment], positions: Mapping[str, Position], headless: int, now: datetime) -> Backlog:
    """Measure it.

    Args:
        segments: all of the spool, each once.
        positions: how far they are read.
        headless: bytes of the files that have no readable header.
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
            faults.append(f"The segment {segment.path} cannot be read: {error.strerror}. Its lines wait.")
            continue
        counted += len(content)
        lines += content.count(b"\n")
        if number < _LOOKED_AT and (written := _written_at(start)):
            oldest.append(written)
    is_estimate = counted < total
    if is_estimate and counted:
        lines = round(lines * total / counted)
    known = lines if counted or not (total or headless) else None
    age = max((now - min(oldest)).total_seconds(), 0.0) if oldest else None
    return Backlog(bytes=total + headless, lines=known, is_estimate=is_estimate, seconds=age, faults=tuple(faults))


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


def _written_at(content: bytes) -> datetime | None:
    """When the first line was written: the end of its request, or what else it tells of."""
    try:
        line = _decode(content.partition(b"\n")[0])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if line.started_at is None:
        return None
    started = line.started_at if line.started_at.tzinfo else line.started_at.replace(tzinfo=UTC)
    try:
        return datetime.fromtimestamp(started.timestamp() + (line.duration or 0.0), UTC)
    except (ValueError, OverflowError, OSError):
        # A damaged line, whose checksum nobody has looked at yet.
        return None
