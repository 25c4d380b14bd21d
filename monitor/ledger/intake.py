"""Takes what waits on the spool, up to a load for one transaction: lines sorted by kind, requests as columns.

It does not touch the ledger, so that the next load can be got ready while the one before is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pyarrow as pa

from monitor.ledger.lines import LineReader
from monitor.spool.format import BEGIN, DROPPED, END, FOOTER, HEADER, MOST_DROPPED
from monitor.spool.numbers import Seen
from monitor.spool.reader import Batch, Damage, Segment

CHUNK: Final = 2**20
"""Bytes of one segment that are read at once: what is done with each line finds it in the processor's cache."""

PIECE: Final = 8 * 2**20
"""Bytes of lines that become columns at once."""

LOAD: Final = 512 * 2**20
"""Bytes after which a load is full."""

LOAD_RECORDS: Final = 122_880
"""Records of a full load: exactly that many make a whole row group, which is compressed at once and for good.

One more would begin a second one, and the next checkpoint would write both anew.
"""

_PLACE: Final = 48
_KIND: Final = b',"kind":"'
_BEGIN_MARK: Final = b',"kind":"%b"' % BEGIN
_END_MARK: Final = b',"kind":"%b"' % END
_KEY: Final = b'"record_id":"'
_KEY_LENGTH: Final = len(_KEY) + 36
_NO_KEYS: Final = frozenset({b"", b"}"})
"""What a line without a record id, long or short, has in the place of a key."""

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
    """What was read of a segment from `offset`, its lines sorted by kind; `ended` are the keys of the ends."""

    segment: Segment
    offset: int
    batch: Batch
    ends: list[bytes]
    ended: AbstractSet[bytes]
    begins: list[bytes]
    others: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    taken: tuple[Taken, ...]
    ends: pa.Table | None
    begins: pa.Table | None
    dropped: tuple[Dropped, ...]


class _Room:
    """What a load has room for yet; `waiting` are the bytes gathered for its next piece."""

    def __init__(self, records: int) -> None:
        self.bytes, self.records = LOAD, records
        self.waiting = self._waiting_records = 0

    def take(self, found: "_Lines") -> None:
        size = found.batch.next_offset - found.offset
        self.bytes, self.waiting = self.bytes - size, self.waiting + size
        self.records -= len(found.ends)
        self._waiting_records += len(found.ends)

    def settle(self, piece: "_Piece") -> None:
        """What was gathered is a piece: lines that are no records leave their room to others."""
        self.records += self._waiting_records - (len(piece.ends) if piece.ends is not None else 0)
        self.waiting = self._waiting_records = 0

    def is_full(self) -> bool:
        return self.bytes <= 0 or self.records <= 0


class Intake:
    """Reads loads off the spool."""

    def __init__(self, *, load_records: int = LOAD_RECORDS) -> None:
        """Nothing is read yet; `load_records` fill a load."""
        self._load_records = load_records
        self._ends = LineReader()
        self._begins = LineReader()

    def load(self, segments: Sequence[Segment], positions: Mapping[str, Position]) -> Load | None:
        """The next load beyond the positions; None where nothing waits."""
        pieces: list[_Piece] = []
        gathered: list[_Lines] = []
        room = _Room(self._load_records)
        for found in _batches(segments, positions, room):
            gathered.append(found)
            room.take(found)
            # Many small segments make one piece, a large one several.
            if room.waiting >= PIECE or room.is_full():
                pieces.append(self._piece(gathered))
                room.settle(pieces[-1])
                gathered = []
            if room.is_full():
                break
        if gathered:
            pieces.append(self._piece(gathered))
        return _joined(pieces, has_more=room.is_full()) if pieces else None

    def _piece(self, gathered: Sequence[_Lines]) -> _Piece:
        ends, refused_ends = _read(self._ends, [(item.segment.id, item.ends) for item in gathered])
        ended = frozenset[bytes]().union(*(item.ended for item in gathered))
        waiting = [(item.segment.id, _without(item.begins, ended)) for item in gathered]
        begins, refused_begins = _read(self._begins, waiting)
        taken, dropped = list[Taken](), list[Dropped]()
        for number, item in enumerate(gathered):
            told, refused_others = _sort_others(item.segment.id, item.others)
            dropped += told
            taken.append(_taken(item, refused_ends[number], [*refused_begins[number], *refused_others]))
        return _Piece(taken=tuple(taken), ends=ends, begins=begins, dropped=tuple(dropped))


def _batches(segments: Sequence[Segment], positions: Mapping[str, Position], room: _Room) -> Iterator[_Lines]:
    for segment in segments:
        position = positions.get(segment.id, Position())
        # One that grew after its end was read, such as the first half of a copy, goes on where it stopped.
        while not (position.is_last and segment.size() <= position.offset):
            found = _following(segment, position, room.records)
            batch = found.batch
            if batch.next_offset == position.offset and not batch.is_last:
                break
            yield found
            position = _position(batch)


def _following(segment: Segment, position: Position, most: int) -> _Lines:
    """What follows in a segment, up to the last request that there is room for."""
    batch = segment.read(position.offset, CHUNK, position.seen)
    found = _sorted(segment, position.offset, batch)
    if len(found.ends) <= most or batch.damages or batch.repeated:
        return found
    place = batch.lines.index(found.ends[most - 1])
    size = sum(len(line) + 1 for line in batch.lines[: place + 1])
    return _sorted(segment, position.offset, segment.read(position.offset, size, position.seen))


def _position(batch: Batch) -> Position:
    return Position(offset=batch.next_offset, is_last=batch.is_last, seen=batch.seen or Seen())


def _sorted(segment: Segment, offset: int, batch: Batch) -> _Lines:
    ends, begins, others = _by_kind(batch.lines)
    # Most calls end in the chunk in which they begin, nearly all in the piece.
    ended = {line[(at := line.find(_KEY)) : at + _KEY_LENGTH] for line in ends} - _NO_KEYS
    begins = _without(begins, ended)
    return _Lines(segment=segment, offset=offset, batch=batch, ends=ends, ended=ended, begins=begins, others=others)


def _without(begins: Sequence[bytes], ended: AbstractSet[bytes]) -> list[bytes]:
    return [line for line in begins if line[(at := line.find(_KEY)) : at + _KEY_LENGTH] not in ended]


def _by_kind(lines: Sequence[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """End lines, begin lines and the others."""
    # Nearly all numbers in a chunk have the same length, so the kind stands in the same place.
    place = lines[len(lines) // 2].find(_KIND) if lines else 0
    of_ends, of_begins = slice(place, place + len(_END_MARK)), slice(place, place + len(_BEGIN_MARK))
    ends = [line for line in lines if line[of_ends] == _END_MARK]
    begins = [line for line in lines if line[of_begins] == _BEGIN_MARK]
    if len(ends) + len(begins) == len(lines):
        return ends, begins, []
    ends = [line for line in lines if _END_MARK in line[:_PLACE]]
    begins = [line for line in lines if _BEGIN_MARK in line[:_PLACE]]
    others = [line for line in lines if _END_MARK not in line[:_PLACE] and _BEGIN_MARK not in line[:_PLACE]]
    return ends, begins, others


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
        if kind == DROPPED.decode() and (told := _dropped(segment, facts)) is not None:
            dropped.append(told)
        elif kind not in _SILENT:
            faulty.append(line)
    return tuple(dropped), faulty


def _dropped(segment: str, facts: Mapping[str, Any]) -> Dropped | None:
    """None where the number has no sense: the ledger could not hold it."""
    reason, count = facts.get("reason"), facts.get("count")
    told = reason if isinstance(reason, str) else "unknown"
    number = count if isinstance(count, int) else 0
    return Dropped(segment=segment, reason=told, count=number) if 0 <= number <= MOST_DROPPED else None


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
