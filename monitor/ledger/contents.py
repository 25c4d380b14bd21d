"""Contents of requests: the drain of their own segments, their end, and what `monitor show` asks."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import duckdb
import msgspec
import pyarrow as pa

from monitor.health import Health
from monitor.ledger.ledger import Ledger, named_rows
from monitor.ledger.retire import retire_segments
from monitor.ledger.trusted_clock import is_trusted
from monitor.ledger.unknown import writer_of
from monitor.spool.format import CONTENT, DROPPED, FOOTER, HEADER, LARGEST_SEQ, MOST_DROPPED
from monitor.spool.reader import Batch, Segment, list_segments

log = logging.getLogger(__name__)

_BATCH_SIZE: Final = 16 * 2**20
_LONGEST_PAUSE: Final = timedelta(hours=2)
"""A segment that was not written to for so long is never written to again: `ContentWriter` ends it first."""

_MOST_SHOWN: Final = 100
_WORKS_TAKE: Final = timedelta(days=32)
_FRAMING: Final = frozenset({HEADER.decode(), FOOTER.decode()})
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, OverflowError)


_Seq = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST_SEQ)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_DROPPED)]


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """Any line of such a segment."""

    seq: _Seq
    kind: str
    record_id: UUID | None = None
    started_at: datetime | None = None
    request: str | None = None
    answer: str | None = None
    is_cut: bool = False
    reason: str = "unknown"
    count: _Count = 0


_decode = msgspec.json.Decoder(_Line).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    contents: Sequence[_Line]
    dropped: Sequence[_Line]
    last_seq: int | None
    faults: Sequence[tuple[int | None, str]]
    """Offset and reason of lines that cannot be used. Never the line itself: it may hold a prompt."""


class ContentDrain:
    """Moves contents from their segments into the ledger, each once. Only the holder of the lease may have one."""

    def __init__(self, ledger: Ledger, directory: Path, health: Health) -> None:
        """Nothing is read yet; the directory need not be there."""
        self._ledger = ledger
        self._directory = directory
        self._health = health

    def run(self) -> int:
        """Take in what is there now and return the number of contents stored."""
        segments = list_segments(self._directory)[0]
        if not segments:
            return 0
        with self._ledger.cursor() as cursor:
            positions = _positions(cursor, segments)
        stored = 0
        for segment in segments:
            offset, is_last = positions.get(segment.id, (0, False))
            end = segment.size()
            while offset < end or not is_last:
                batch = segment.read(offset, _BATCH_SIZE)
                if batch.next_offset == offset and not batch.is_last:
                    break
                stored += self._store(segment, offset, batch)
                offset, is_last = batch.next_offset, batch.is_last
            # Of a copy of the segment only what it has more is read.
            positions[segment.id] = offset, is_last
        return stored

    def _store(self, segment: Segment, offset: int, batch: Batch) -> int:
        """Contents and position in one transaction."""
        found = _sort(batch)
        now = self._ledger.clock().replace(tzinfo=None)
        name, place = segment.name, (writer_of(segment.header), offset, batch.next_offset)
        counts = (len(batch.lines), 0, len(found.faults), found.last_seq, batch.is_last)
        with self._ledger.writing() as cursor:
            _insert(cursor, found.contents)
            for line in found.dropped:
                cursor.execute(
                    "insert into dropped values (?, ?, ?, ?)", [segment.id, f"content_{line.reason}", line.count, now]
                )
            for at, reason in found.faults:
                cursor.execute(
                    "insert into quarantine values (?, ?, ?, ?, '[not kept: it may hold contents]', ?)",
                    [segment.id, name, at, reason, now],
                )
            cursor.execute(
                """
                insert into checkpoints (
                    segment, file, writer, from_offset, to_offset, lines, records, quarantined, last_seq, is_last,
                    drained_at
                ) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [segment.id, name, *place, *counts, now],
            )
        self._health.count("contents_drained_total", len(found.contents))
        return len(found.contents)


def forget_contents(ledger: Ledger, directory: Path, *, keep: timedelta) -> int:
    """Delete contents that are older than `keep`, and segments that are taken in; returns how many contents went.

    As with requests, nothing is too old while the clock is days ahead of where it was.
    """
    gone, idle = 0, list[Path]()
    if is_trusted(ledger):
        now = ledger.clock().replace(tzinfo=None)
        with ledger.writing() as cursor:
            (gone,) = cursor.execute("delete from contents where started_at < ?", [now - keep]).fetchone() or (0,)
        idle = [*_idle_files(ledger, directory, at_least=max(keep, _LONGEST_PAUSE))]
    if gone or idle or any(directory.glob("*")):
        # Segments may go only after it.
        ledger.checkpoint()
    for path in idle:
        path.unlink(missing_ok=True)
    retire_segments(ledger, directory, keep=0.0)
    if gone:
        log.info("The contents of %d requests were deleted, as they were too old.", gone)
    return int(gone)


def find_requests(ledger: Ledger, name: str) -> list[dict[str, Any]]:
    """The requests with this record id, call id, response id or request id, oldest first, at most a hundred.

    Each has all columns of `requests` by name; under `content` the columns of `contents`, None where nothing is kept;
    under `sightings` where else it was seen, by the columns of that table. The id of a sighting finds it too.
    """
    with ledger.cursor() as cursor:
        found = _with_our_id(cursor, name) or _with_foreign_id(cursor, name)
        ids: list[object] = [[row["record_id"] for row in found]]
        kept = named_rows(cursor.execute("select * from contents where list_contains($1, record_id)", ids))
        seen = named_rows(
            cursor.execute("select * from sightings where list_contains($1, record_id) order by seen_at, seq", ids)
        )
    contents = {row["record_id"]: row for row in kept}
    return [
        {
            **row,
            "content": contents.get(row["record_id"]),
            "sightings": [item for item in seen if item["record_id"] == row["record_id"]],
        }
        for row in found
    ]


# Each condition by itself: a column is passed over in parts, a choice between several is not.
_OUR_ID: Final = """
    from requests where record_id = $1
    union from requests where call_id = $1
    union from requests where record_id in (select record_id from sightings where seen_record_id = $1)
    order by started_at, attempt limit $2
"""
_FOREIGN_ID: Final = """
    from requests where started_at >= $1 and started_at < $2 and response_id = $3
    union from requests where started_at >= $1 and started_at < $2 and request_id = $3
    order by started_at, attempt limit $4
"""


def _with_our_id(cursor: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    try:
        wanted = UUID(name)
    except ValueError:
        return []
    return named_rows(cursor.execute(_OUR_ID, [wanted, _MOST_SHOWN]))


def _with_foreign_id(cursor: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """From the newest requests on backwards in stretches that grow: only what is not there takes all of them."""
    first, end = cursor.execute("select min(started_at), max(started_at) from requests").fetchone() or (None, None)
    if first is None or end is None:
        return []
    end += timedelta(microseconds=1)
    length = timedelta(days=1)
    while end > first:
        start = max(end - length, first)
        found = named_rows(cursor.execute(_FOREIGN_ID, [start, end, name, _MOST_SHOWN]))
        if found:
            # Answers about a work have its id too, and can come long after what began it.
            before = named_rows(cursor.execute(_FOREIGN_ID, [start - _WORKS_TAKE, start, name, _MOST_SHOWN]))
            return [*before, *found][:_MOST_SHOWN]
        end, length = start, length * 2
    return []


def _positions(cursor: duckdb.DuckDBPyConnection, segments: Sequence[Segment]) -> dict[str, tuple[int, bool]]:
    rows = cursor.execute(
        "select segment, max(to_offset), bool_or(is_last) from checkpoints"
        " where segment in (select unnest(?::varchar[])) group by segment",
        [[segment.id for segment in segments]],
    ).fetchall()
    return {segment: (offset, is_last) for segment, offset, is_last in rows}


def _sort(batch: Batch) -> _Sorted:
    contents, dropped, seqs = [], [], []
    faults: list[tuple[int | None, str]] = [(item.offset, item.reason) for item in batch.damages]
    for raw in batch.lines:
        try:
            line = _decode(raw)
            # A moment of a zone may lie beyond the first or the last day that there is.
            _utc(line.started_at)
        except _UNREADABLE:
            faults.append((None, "not_a_record"))
            continue
        seqs.append(line.seq)
        if line.kind == CONTENT.decode() and line.record_id is not None and line.started_at is not None:
            contents.append(line)
        elif line.kind == DROPPED.decode():
            dropped.append(line)
        elif line.kind not in _FRAMING:
            faults.append((None, "not_a_record"))
    return _Sorted(contents=contents, dropped=dropped, last_seq=max(seqs, default=None), faults=faults)


def _insert(cursor: duckdb.DuckDBPyConnection, lines: Sequence[_Line]) -> None:
    if not lines:
        return
    table = pa.table(
        {
            "record_id": pa.array([str(line.record_id) for line in lines], pa.string()),
            "started_at": pa.array([_utc(line.started_at) for line in lines], pa.timestamp("us")),
            "request": pa.array([line.request for line in lines], pa.string()),
            "answer": pa.array([line.answer for line in lines], pa.string()),
            "is_cut": pa.array([line.is_cut for line in lines], pa.bool_()),
        }
    )
    cursor.register("content_lines", table)
    try:
        cursor.execute(
            "insert into contents by name select * replace (cast(record_id as uuid) as record_id) from content_lines"
        )
    finally:
        cursor.unregister("content_lines")


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)


def _idle_files(ledger: Ledger, directory: Path, *, at_least: timedelta) -> Iterator[Path]:
    """Files that nothing more will come of: taken in to their end and left for so long, or without a header."""
    segments, headless = list_segments(directory)
    oldest = (ledger.clock() - at_least).timestamp()
    with ledger.cursor() as cursor:
        positions = _positions(cursor, segments)
    for segment in segments:
        offset, _ = positions.get(segment.id, (0, False))
        if segment.path.stat().st_mtime < oldest and offset >= segment.size():
            yield segment.path
    for path in headless:
        if path.stat().st_mtime < oldest:
            yield path
