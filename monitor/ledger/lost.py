"""What a ledger that was replaced had, and the one in its place has not: told by positions on the spool."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.ledger.examine import Place, Standing
from monitor.spool.reader import list_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPart:
    """The end of a segment that is in no ledger and on no spool any more.

    `records` is None where nobody knows how many it had, `until` where nobody knows how far it went.
    """

    segment: str
    file: str
    since: int
    until: int | None
    records: int | None
    drained_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What is lost. `is_known` says whether the ledger that was set aside told how far it had read the spool."""

    parts: tuple[LostPart, ...]
    is_known: bool
    spool_from: str | None
    """When the oldest segment that is left on the spool was begun, as it says itself."""

    @property
    def records(self) -> int:
        """Requests in the parts, as far as they were counted."""
        return sum(part.records or 0 for part in self.parts)


def lost_parts(before: Standing | None, base: Standing, after: Standing, directories: Iterable[Path]) -> Lost:
    """What is missing after a recovery.

    Args:
        before: the ledger that was set aside, None where there was none.
        base: what took its place.
        after: the same when all that waits on the spool was drained.
        directories: of segments: the spool and that of the contents.
    """
    segments = [segment for directory in directories for segment in list_segments(directory)[0]]
    present = {segment.id for segment in segments}
    now = _by_segment(after)
    known = _by_segment(before) if before else {}
    parts = [_part(place, now.get(name)) for name, place in known.items() if _offset(now.get(name)) < place.offset]
    # They were still being written when the copy was made, and nobody says how they went on.
    parts += [
        LostPart(
            segment=name, file=place.file, since=place.offset, until=None, records=None, drained_at=place.drained_at
        )
        for name, place in _by_segment(base).items()
        if not place.is_last and name not in present and name not in known
    ]
    begun = [segment.header.started_at for segment in segments]
    return Lost(
        parts=tuple(sorted(parts, key=lambda part: (part.drained_at, part.file))),
        is_known=before is None or before.places is not None,
        spool_from=min(begun, default=None),
    )


def _by_segment(standing: Standing) -> Mapping[str, Place]:
    return {place.segment: place for place in standing.places or ()}


def _offset(place: Place | None) -> int:
    return 0 if place is None else place.offset


def _part(was: Place, now: Place | None) -> LostPart:
    return LostPart(
        segment=was.segment,
        file=was.file,
        since=_offset(now),
        until=was.offset,
        records=was.records - (now.records if now else 0),
        drained_at=was.drained_at,
    )
