"""The drain: the one way records get into the ledger. Spool lines become priced rows, rollup and checkpoint at once.

One transaction takes a batch of lines: rows, prices, rollup and the offsets up to which the segments are read. So each
line counts exactly once, whatever dies when. No Python runs per row on the good path but the checksum.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from monitor.health import Health
from monitor.ledger.columns import BEGIN_COLUMNS, RECORD_COLUMNS, quoted
from monitor.ledger.costs import priced_select
from monitor.ledger.late import settle_late
from monitor.ledger.ledger import Ledger, transaction
from monitor.ledger.prices import match_new_models
from monitor.ledger.rollup import rollup_select
from monitor.ledger.stage import Read, stage
from monitor.ledger.unknown import settle, take_back, writer_of
from monitor.pricing.book import PriceBook
from monitor.spool.reader import Segment, list_segments

log = logging.getLogger(__name__)

_BATCH_SIZE: Final = 16 * 2**20
_PRICED: Final = f"create or replace temp table priced as {priced_select([*map(quoted, RECORD_COLUMNS), 'model'])}"
_BEGUN: Final = ", ".join(map(quoted, BEGIN_COLUMNS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one call of `Drain.step` did. `has_more` says that intact lines were left for the next step."""

    records: int
    quarantined: int
    bytes_read: int
    has_more: bool


class Drain:
    """Moves what waits on the spool into the ledger. Only the holder of the lease may have one."""

    def __init__(self, ledger: Ledger, spool: Path, book: PriceBook, health: Health) -> None:
        """Nothing is read yet; where to go on stands in the ledger."""
        self._ledger = ledger
        self._spool = spool
        self._book = book
        self._health = health

    def use(self, book: PriceBook) -> None:
        """Price new models by this book from the next step on."""
        self._book = book

    def waiting(self) -> int:
        """Bytes on the spool that are not yet in the ledger."""
        segments, headless = list_segments(self._spool)
        positions = self._positions()
        read = sum(
            max(segment.size() - positions.get(segment.id, (0, False))[0], 0) for segment in _each_once(segments)
        )
        return read + sum(path.stat().st_size for path in headless)

    def run(self) -> int:
        """Drain what waits now and return the number of records stored; what comes in meanwhile may be left."""
        waiting = self.waiting()
        total = 0
        while True:
            step = self.step()
            total += step.records
            waiting -= step.bytes_read
            # A program that writes without a pause must not keep a report waiting for ever.
            if not step.has_more or waiting <= 0:
                return total

    def step(self) -> Drained:
        """Drain one batch over all segments."""
        segments = _each_once(list_segments(self._spool)[0])
        reads, is_full = self._read(segments)
        if not reads:
            settle(self._ledger, segments)
            return Drained(records=0, quarantined=0, bytes_read=0, has_more=False)
        with self._ledger.turn() as cursor:
            # Staged before the transaction begins: a line that cannot be read would abort it.
            reads = stage(cursor, reads)
            with transaction(cursor):
                take_back(cursor)
                settle_late(cursor)
                match_new_models(cursor, self._book, self._ledger)
                cursor.execute(_PRICED)
                cursor.execute("insert into requests by name select * from priced")
                cursor.execute(f"insert into usage_hourly by name {rollup_select('priced')}")
                self._keep_begins(cursor)
                self._keep_dropped(cursor)
                quarantined = self._quarantine(cursor, reads)
                records = self._checkpoint(cursor, reads)
        self._health.count("records_drained_total", records)
        if quarantined:
            self._health.count("lines_quarantined_total", quarantined)
            log.warning("%d damaged lines of the spool are in quarantine.", quarantined)
        has_more = is_full or any(read.segment.size() > read.batch.next_offset for read in reads)
        settle(self._ledger, segments)
        bytes_read = sum(read.batch.next_offset - read.offset for read in reads)
        return Drained(records=records, quarantined=quarantined, bytes_read=bytes_read, has_more=has_more)

    def _read(self, segments: Sequence[Segment]) -> tuple[list[Read], bool]:
        """A batch over the segments, and whether it is full, so that some may be left."""
        positions = self._positions()
        reads = []
        room = _BATCH_SIZE
        for segment in segments:
            if room <= 0:
                break
            offset, is_last = positions.get(segment.id, (0, False))
            # One that grew after its end was read, such as the first half of a copy, goes on where it stopped.
            if is_last and segment.size() <= offset:
                continue
            batch = segment.read(offset, room)
            if batch.next_offset > offset or batch.is_last:
                reads.append(Read(segment=segment, offset=offset, batch=batch))
                room -= batch.next_offset - offset
        return reads, room <= 0

    def _positions(self) -> dict[str, tuple[int, bool]]:
        with self._ledger.cursor() as cursor:
            rows = cursor.execute(
                "select segment, max(to_offset), bool_or(is_last) from checkpoints group by segment"
            ).fetchall()
        return {segment: (offset, is_last) for segment, offset, is_last in rows}

    def _keep_begins(self, cursor: duckdb.DuckDBPyConnection) -> None:
        # Most calls end in the batch in which they begin; only the others are kept.
        cursor.execute(
            f"""
            insert into begins by name
            select {_BEGUN}, segment from stage s
            where kind = 'begin' and not exists (from priced p where p.record_id = s.record_id)
            """
        )

    def _keep_dropped(self, cursor: duckdb.DuckDBPyConnection) -> None:
        now = self._ledger.clock().replace(tzinfo=None)
        cursor.execute(
            """
            insert into dropped select segment, coalesce(reason, 'unknown'), coalesce("count", 0), ?
            from stage where kind = 'dropped'
            """,
            [now],
        )

    def _quarantine(self, cursor: duckdb.DuckDBPyConnection, reads: Sequence[Read]) -> int:
        now = self._ledger.clock().replace(tzinfo=None)
        rows = [
            [read.segment.id, read.segment.path.name, item.offset, item.reason, item.content.decode("utf-8", "replace")]
            for read in reads
            for item in read.batch.damages
        ]
        if rows:
            cursor.executemany("insert into quarantine values (?, ?, ?, ?, ?, ?)", [[*row, now] for row in rows])
        return len(rows)

    def _checkpoint(self, cursor: duckdb.DuckDBPyConnection, reads: Sequence[Read]) -> int:
        now = self._ledger.clock().replace(tzinfo=None)
        stored: dict[str, tuple[int, int | None]] = {
            segment: (records, last_seq)
            for segment, records, last_seq in cursor.execute(
                "select segment, count(*) filter (kind = 'end'), max(seq) from stage group by segment"
            ).fetchall()
        }
        rows = []
        for read in reads:
            segment, batch = read.segment, read.batch
            records, last_seq = stored.get(segment.id, (0, None))
            place = (segment.id, segment.path.name, writer_of(segment.header), read.offset, batch.next_offset)
            rows.append([*place, len(batch.lines), records, len(batch.damages), last_seq, batch.is_last, now])
        cursor.executemany("insert into checkpoints values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return sum(records for records, _ in stored.values())


def _each_once(segments: Sequence[Segment]) -> list[Segment]:
    """One file for each segment: of copies the one that is still written, else the longest."""
    found: dict[str, Segment] = {}
    for segment in segments:
        other = found.setdefault(segment.id, segment)
        if other is not segment and _standing(segment) > _standing(other):
            found[segment.id] = segment
    return list(found.values())


def _standing(segment: Segment) -> tuple[bool, int]:
    return not segment.is_writer_gone(), segment.size()
