"""Takes what waits on the spool, up to a load for one transaction: lines sorted by kind, requests as columns.

It does not touch the ledger, so that the next load can be got ready while the one before is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pyarrow as pa

from monitor.ledger.lines import LineReader
from monitor.spool.format import BEGIN, DROPPED, END, FOOTER, HEADER
from monitor.spool.numbers import Seen
from monitor.spool.reader import Batch, Damage, Segment

CHUNK: Final = 8 * 2**20
"""Bytes of one segment that are read at once."""

LOAD: Final = 512 * 2**20
"""Bytes after which a load is full."""

LOAD_RECORDS: Final = 122_880
"""Records after which a load is full: that many make a whole row group, which is compressed at once."""

_PLACE: Final = 48
_BEGIN_MARK: Final = b',"kind":"%b"' % BEGIN
_END_MARK: Final = b',"kind":"%b"' % END
_KEY: Final = b'"record_id":"'
_KEY_LENGTH: Final = len(_KEY) + 36
_SILENT: Final = frozenset({HEADER.decode(), FOOTER.decode()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a segment is read, and which of its numbers were. `is_last` says that nothing could follow."""

    offset: int = 0
    is_last: bool = False
    seen: Seen = field(default_factory=Seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a load has of one segment.

    `lines` are the intact ones that are no damage, `records` the requests among them. `repeated` lines had been read
    before and are in neither.
    """

    segment: Segment
    from_offset: int
    lines: int
    records: int
    repeated: int
    damages: tuple[Damage, ...]
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A writer's word that it could not write so many lines."""

    segment: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one transaction stores.

    `ends` and `begins` are tables of the facts with the column `segment`; begins whose end is among `ends` are left
    out where that shows at once. `has_more` says that something was left for the next load.
    """

    taken: tuple[Taken, ...]
    ends: pa.Table | None
    begins: pa.Table | None
    dropped: tuple[Dropped, ...]
    has_more: bool

    def positions(self) -> dict[str, Position]:
        """How far its segments are read when it is stored."""
        return {item.segment.id: item.position for item in self.taken}

    def size(self) -> int:
        """Bytes that it has of the spool."""
        return sum(item.position.offset - item.from_offset for item in self.taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """What was read of a segment from `offset`, its lines sorted by kind."""

    segment: Segment
    offset: int
    batch: Batch
    ends: list[bytes]
    begins: list[bytes]
    others: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    taken: tuple[Taken, ...]
    ends: pa.Table | None
    begins: pa.Table | None
    dropped: tuple[Dropped, ...]


class Intake:
    """Reads loads off the spool."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._ends = LineReader()
        self._begins = LineReader()

    def load(self, segments: Sequence[Segment], positions: Mapping[str, Position]) -> Load | None:
        """The next load beyond the positions; None where nothing waits."""
        pieces: list[_Piece] = []
        room, waiting, has_more = LOAD, 0, False
        records = 0
        gathered: list[_Lines] = []
        for found in _batches(segments, positions):
            gathered.append(found)
            size = found.batch.next_offset - found.offset
            room, waiting = room - size, waiting + size
            records += len(found.ends)
            has_more = room <= 0 or records >= LOAD_RECORDS
            # Many small segments make one piece, a large one several.
            if waiting >= CHUNK or has_more:
                pieces.append(self._piece(gathered))
                gathered, waiting = [], 0
            if has_more:
                break
        if gathered:
            pieces.append(self._piece(gathered))
        return _joined(pieces, has_more=has_more) if pieces else None

    def _piece(self, gathered: Sequence[_Lines]) -> _Piece:
        ends, refused_ends = _read(self._ends, [(item.segment.id, item.ends) for item in gathered])
        begins, refused_begins = _read(self._begins, [(item.segment.id, item.begins) for item in gathered])
        taken, dropped = list[Taken](), list[Dropped]()
        for number, item in enumerate(gathered):
            told, refused_others = _sort_others(item.segment.id, item.others)
            dropped += told
            taken.append(_taken(item, refused_ends[number], [*refused_begins[number], *refused_others]))
        return _Piece(taken=tuple(taken), ends=ends, begins=begins, dropped=tuple(dropped))


def _batches(segments: Sequence[Segment], positions: Mapping[str, Position]) -> Iterator[_Lines]:
    for segment in segments:
        position = positions.get(segment.id, Position())
        # One that grew after its end was read, such as the first half of a copy, goes on where it stopped.
        while not (position.is_last and segment.size() <= position.offset):
            batch = segment.read(position.offset, CHUNK, position.seen)
            if batch.next_offset == position.offset and not batch.is_last:
                break
            yield _sorted(segment, position.offset, batch)
            position = _position(batch)


def _position(batch: Batch) -> Position:
    return Position(offset=batch.next_offset, is_last=batch.is_last, seen=batch.seen or Seen())


def _sorted(segment: Segment, offset: int, batch: Batch) -> _Lines:
    lines = batch.lines
    ends = [line for line in lines if _END_MARK in line[:_PLACE]]
    begins = [line for line in lines if _BEGIN_MARK in line[:_PLACE]]
    others = []
    if len(ends) + len(begins) < len(lines):
        others = [line for line in lines if _END_MARK not in line[:_PLACE] and _BEGIN_MARK not in line[:_PLACE]]
    if begins:
        # Most calls end in the chunk in which they begin.
        ended = {_key_of(line) for line in ends}
        begins = [line for line in begins if _key_of(line) not in ended]
    return _Lines(segment=segment, offset=offset, batch=batch, ends=ends, begins=begins, others=others)


def _taken(item: _Lines, refused_ends: Sequence[bytes], refused: Sequence[bytes]) -> Taken:
    batch = item.batch
    damages = tuple(Damage(offset=None, reason="not_a_record", content=line) for line in (*refused_ends, *refused))
    return Taken(
        segment=item.segment,
        from_offset=item.offset,
        lines=len(batch.lines) - len(damages),
        records=len(item.ends) - len(refused_ends),
        repeated=batch.repeated,
        damages=(*batch.damages, *damages),
        position=_position(batch),
    )


def _key_of(line: bytes) -> bytes:
    start = line.find(_KEY)
    return line[start : start + _KEY_LENGTH]


def _read(
    reader: LineReader, parts: Sequence[tuple[str, Sequence[bytes]]]
) -> tuple[pa.Table | None, list[list[bytes]]]:
    """The lines of several segments as one table, and of each segment those that are no records."""
    refused: list[list[bytes]] = [[] for _ in parts]
    lines = [line for _, part in parts for line in part]
    if not lines:
        return None, refused
    columns = reader.read(lines)
    owners = [number for number, (_, part) in enumerate(parts) for _ in part]
    for number in reversed(columns.refused):
        refused[owners.pop(number)].insert(0, lines[number])
    names = pa.array([segment for segment, _ in parts])
    segments = pa.DictionaryArray.from_arrays(pa.array(owners, pa.int32()), names)
    return columns.table.append_column("segment", segments), refused


def _sort_others(segment: str, lines: Sequence[bytes]) -> tuple[tuple[Dropped, ...], list[bytes]]:
    """Losses that are told, and lines of no kind this program knows."""
    dropped, faulty = [], []
    for line in lines:
        facts = _facts(line)
        kind = facts.get("kind")
        if kind == DROPPED.decode():
            reason, count = facts.get("reason"), facts.get("count")
            told = reason if isinstance(reason, str) else "unknown"
            dropped.append(Dropped(segment=segment, reason=told, count=count if isinstance(count, int) else 0))
        elif kind not in _SILENT:
            faulty.append(line)
    return tuple(dropped), faulty


def _facts(line: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _joined(pieces: Sequence[_Piece], *, has_more: bool) -> Load:
    return Load(
        taken=tuple(_one_each([item for piece in pieces for item in piece.taken])),
        ends=_table([piece.ends for piece in pieces]),
        begins=_table([piece.begins for piece in pieces]),
        dropped=tuple(item for piece in pieces for item in piece.dropped),
        has_more=has_more,
    )


def _one_each(taken: Sequence[Taken]) -> list[Taken]:
    """Pieces of one segment follow each other: one of them from the first offset to the last."""
    found: dict[str, Taken] = {}
    for item in taken:
        before = found.get(item.segment.id)
        found[item.segment.id] = item if before is None else _sum_of(before, item)
    return list(found.values())


def _sum_of(first: Taken, second: Taken) -> Taken:
    return Taken(
        segment=first.segment,
        from_offset=first.from_offset,
        lines=first.lines + second.lines,
        records=first.records + second.records,
        repeated=first.repeated + second.repeated,
        damages=(*first.damages, *second.damages),
        position=second.position,
    )


def _table(tables: Sequence[pa.Table | None]) -> pa.Table | None:
    found = [table for table in tables if table is not None and len(table)]
    if not found:
        return None
    joined = pa.concat_tables(found, promote_options="default")
    return joined.append_column("line_number", pa.array(range(len(joined)), pa.int64()))
