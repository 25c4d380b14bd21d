"""Reads damaged segments from their start again: a file may be mended, or a whole copy of it may have come.

Numbers tell which lines were read, so that each counts once. Positions stay where they are: what stands behind them is
for the drain, and so is what is damaged there.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from monitor.ledger.intake import Intake, Load, Position, Taken
from monitor.ledger.quarantine import DamagedPiece
from monitor.spool.format import seq_of
from monitor.spool.numbers import Seen
from monitor.spool.reader import LONGEST_KEPT, Batch, Segment

_LOOKED_AT: Final = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A load of lines that could not be read before; `settled` are the offsets of damaged pieces that are whole now."""

    load: Load
    settled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Again(Segment):
    """A segment of which all lines that have no number were read before: nobody could tell."""

    def read(self, offset: int, limit: int, seen: Seen | None = None) -> Batch:
        batch = Segment.read(self, offset, limit, seen)
        numbered = tuple(line for line in batch.lines if seq_of(line) is not None)
        return replace(batch, lines=numbered, repeated=batch.repeated + len(batch.lines) - len(numbered))


def read_again(intake: Intake, segment: Segment, known: Position, pieces: Sequence[DamagedPiece]) -> Iterator[Reread]:
    """What a file has that was not read of its segment, in loads; nothing where it has nothing new.

    Args:
        intake: that nobody else uses meanwhile.
        segment: the file, perhaps a copy of the one that was read.
        known: how far the segment is read.
        pieces: what stands in quarantine of it.
    """
    again, end = _Again(segment.path, segment.header), segment.size()
    place, damages, is_done = Position(seen=known.seen), list[tuple[int, int]](), False
    while not is_done and (load := intake.load([again], {segment.id: place})) is not None:
        (taken,) = load.taken
        place = taken.position
        damages += [(item.offset, len(item.content)) for item in taken.damages if item.offset is not None]
        is_done = not load.has_more or place.offset >= end
        settled = _settled(segment, pieces, damages, known.seen, place) if is_done else ()
        new = _new_of(taken, known)
        if new or settled:
            yield Reread(load=replace(load, taken=new), settled=settled)


def _new_of(taken: Taken, known: Position) -> tuple[Taken, ...]:
    """Without what is known and what is damaged still; nothing where nothing is left."""
    refused = tuple(item for item in taken.damages if item.offset is None)
    if not taken.lines and not refused:
        return ()
    position = Position(offset=known.offset, is_last=known.is_last, seen=taken.position.seen)
    return (replace(taken, from_offset=0, repeated=0, damages=refused, position=position),)


def _settled(
    segment: Segment, pieces: Sequence[DamagedPiece], damages: list[tuple[int, int]], before: Seen, after: Position
) -> tuple[int, ...]:
    """Where the file is whole that was damaged: all of it, or a line stands there that is new.

    A line that was read before is no proof: whoever cuts a damaged line out moves the next one to its place.
    """
    is_whole = not damages and not after.seen.missing
    places = sorted(place for place, _ in damages)
    return tuple(
        piece.offset
        for piece in pieces
        if piece.offset < after.offset
        and not _has_damage(places, piece)
        and (is_whole or _is_new(_line_at(segment, piece.offset), before, after.seen))
    )


def _has_damage(places: Sequence[int], piece: DamagedPiece) -> bool:
    first = bisect_left(places, piece.offset)
    # Only the beginning of a long piece is kept: nobody knows how far it went.
    end = piece.offset + piece.size if piece.size < LONGEST_KEPT else inf
    return first < len(places) and places[first] < end


def _line_at(segment: Segment, offset: int) -> bytes | None:
    batch = segment.read(offset, _LOOKED_AT)
    is_damaged = any(item.offset == offset for item in batch.damages)
    return batch.lines[0] if batch.lines and not is_damaged else None


def _is_new(line: bytes | None, before: Seen, after: Seen) -> bool:
    seq = None if line is None else seq_of(line)
    return seq is not None and after.has(seq) and not before.has(seq)
