"""The drain: the one way records get into the ledger. Spool lines become priced rows, rollup and checkpoint at once.

One transaction takes a batch of lines: rows, prices, rollup and the offsets up to which the segments are read. So each
line counts exactly once, whatever dies when. No Python runs per row on the good path but the checksum.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from monitor.health import Health
from monitor.ledger.columns import BEGIN_COLUMNS, DEFAULTS, RECORD_COLUMNS, quoted
from monitor.ledger.costs import JOIN, cost_columns
from monitor.ledger.ledger import Ledger, transaction
from monitor.ledger.prices import match_new_models
from monitor.ledger.rollup import rollup_select
from monitor.pricing.book import PriceBook
from monitor.spool.format import Header
from monitor.spool.reader import Batch, Damage, Segment, list_segments

log = logging.getLogger(__name__)

_BATCH_SIZE: Final = 16 * 2**20
_LINE_TYPES: Final = {"seq": "BIGINT", "kind": "VARCHAR", **RECORD_COLUMNS, "reason": "VARCHAR", "count": "BIGINT"}
_SHAPE: Final = "{" + ", ".join(f'"{name}": "{kind}"' for name, kind in _LINE_TYPES.items()) + "}"
_USUAL: Final = ", ".join(f"coalesce({name}, {sql}) as {name}" for name, sql in DEFAULTS.items())
_STAGE: Final = f"""
    create or replace temp table stage as
    select segment, line_number, * exclude (segment, line_number) replace ({_USUAL}),
        coalesce(response_model, request_model) as model
    from (select segment, line_number, unnest(from_json(line, '{_SHAPE}')) from spool_lines)
"""
_REQUIRED: Final = ("record_id", "call_id", "attempt", "started_at", "provider_name", "operation_name", "endpoint")
_LACKING: Final = f"""
    select line_number from stage
    where kind is null or kind in ('begin', 'end') and ({" or ".join(f"{name} is null" for name in _REQUIRED)})
"""
_ROWS: Final = ", ".join(f"s.{quoted(name)}" for name in RECORD_COLUMNS)
_PRICED: Final = f"""
    create or replace temp table priced as
    select {_ROWS}, s.model, {cost_columns()} from stage s {JOIN} where s.kind = 'end'
"""
_BEGUN: Final = ", ".join(map(quoted, BEGIN_COLUMNS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one call of `Drain.step` did. `has_more` says that intact lines were left for the next step."""

    records: int
    quarantined: int
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    segment: Segment
    offset: int
    batch: Batch


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
        read = sum(max(segment.size() - positions.get(segment.id, (0, False))[0], 0) for segment in segments)
        return read + sum(path.stat().st_size for path in headless)

    def run(self) -> int:
        """Drain until nothing waits; returns the number of records stored."""
        total = 0
        while True:
            step = self.step()
            total += step.records
            if not step.has_more:
                return total

    def step(self) -> Drained:
        """Drain one batch over all segments."""
        segments, _ = list_segments(self._spool)
        reads = self._read(segments)
        if not reads:
            self._settle(segments)
            return Drained(records=0, quarantined=0, has_more=False)
        with self._ledger.turn() as cursor:
            # Staged before the transaction begins: a line that cannot be read would abort it.
            reads = self._stage(cursor, reads)
            with transaction(cursor):
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
        has_more = any(read.segment.size() > read.batch.next_offset for read in reads)
        self._settle(segments)
        return Drained(records=records, quarantined=quarantined, has_more=has_more)

    def _read(self, segments: Sequence[Segment]) -> list[_Read]:
        positions = self._positions()
        reads = []
        room = _BATCH_SIZE
        seen = set()
        for segment in segments:
            offset, is_last = positions.get(segment.id, (0, False))
            if is_last or segment.id in seen or room <= 0:
                continue
            seen.add(segment.id)
            batch = segment.read(offset, room)
            if batch.next_offset > offset or batch.is_last:
                reads.append(_Read(segment=segment, offset=offset, batch=batch))
                room -= batch.next_offset - offset
        return reads

    def _positions(self) -> dict[str, tuple[int, bool]]:
        with self._ledger.cursor() as cursor:
            rows = cursor.execute(
                "select segment, max(to_offset), bool_or(is_last) from checkpoints group by segment"
            ).fetchall()
        return {segment: (offset, is_last) for segment, offset, is_last in rows}

    def _stage(self, cursor: duckdb.DuckDBPyConnection, reads: list[_Read]) -> list[_Read]:
        try:
            _load(cursor, reads)
        except (duckdb.Error, pa.ArrowInvalid):
            # An intact line that is not JSON: never ours, so found by trying the lines one by one.
            reads = [
                _without(read, [line for line in read.batch.lines if not _is_json(cursor, line)]) for read in reads
            ]
            _load(cursor, reads)
        lacking = {row[0] for row in cursor.execute(_LACKING).fetchall()}
        if lacking:
            cursor.execute("delete from stage where list_contains(?, line_number)", [list(lacking)])
            lines = [line for read in reads for line in read.batch.lines]
            faulty = {lines[number] for number in lacking}
            reads = [_without(read, [line for line in read.batch.lines if line in faulty]) for read in reads]
        return reads

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

    def _quarantine(self, cursor: duckdb.DuckDBPyConnection, reads: Sequence[_Read]) -> int:
        now = self._ledger.clock().replace(tzinfo=None)
        rows = [
            [read.segment.id, read.segment.path.name, item.offset, item.reason, item.content.decode("utf-8", "replace")]
            for read in reads
            for item in read.batch.damages
        ]
        if rows:
            cursor.executemany("insert into quarantine values (?, ?, ?, ?, ?, ?)", [[*row, now] for row in rows])
        return len(rows)

    def _checkpoint(self, cursor: duckdb.DuckDBPyConnection, reads: Sequence[_Read]) -> int:
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

    def _settle(self, segments: Sequence[Segment]) -> None:
        """Requests whose process died become rows with the outcome *unknown*."""
        with self._ledger.cursor() as cursor:
            waiting = cursor.execute("select distinct segment from begins").fetchall()
        if not waiting:
            return
        with self._ledger.cursor() as cursor:
            writers = dict(cursor.execute("select distinct segment, writer from checkpoints").fetchall())
            unfinished = cursor.execute(
                "select distinct writer from checkpoints group by writer, segment having not bool_or(is_last)"
            ).fetchall()
        alive = {row[0] for row in unfinished}
        alive |= {writer_of(segment.header) for segment in segments if segment.id not in writers}
        dead = [row[0] for row in waiting if writers.get(row[0]) not in alive]
        if dead:
            self._settle_segments(dead)

    def _settle_segments(self, segments: Sequence[str]) -> None:
        columns = ", ".join(f"b.{quoted(name)}" for name in BEGIN_COLUMNS)
        with self._ledger.writing() as cursor:
            cursor.execute(
                f"""
                create or replace temp table settled as
                select {columns}, request_model as model, 'unknown' as outcome, 'none' as usage_source,
                    'POST' as method, false as is_streaming, false as is_batch,
                    case when is_billable then 'no_usage' else 'free' end as pricing_state
                from begins b
                where list_contains(?, segment)
                    and not exists (
                        from requests r where r.record_id = b.record_id and r.started_at = b.started_at
                    )
                """,
                [list(segments)],
            )
            cursor.execute("insert into requests by name select * from settled")
            cursor.execute(
                "create or replace temp table settled_rows as select r.* from requests r"
                " where outcome = 'unknown' and record_id in (select record_id from settled)"
            )
            cursor.execute(f"insert into usage_hourly by name {rollup_select('settled_rows')}")
            cursor.execute("delete from begins where list_contains(?, segment)", [list(segments)])


def writer_of(header: Header) -> str:
    """Names the process that wrote a segment; a process number alone is used again."""
    return f"{header.host}/{header.pid}/{header.process_started_at}"


def _load(cursor: duckdb.DuckDBPyConnection, reads: Sequence[_Read]) -> None:
    lines: list[bytes] = []
    names: list[str] = []
    for read in reads:
        lines.extend(read.batch.lines)
        names.extend([read.segment.id] * len(read.batch.lines))
    table = pa.table(
        {
            "segment": pa.array(names, pa.string()),
            "line_number": pa.array(range(len(lines)), pa.int64()),
            "line": pa.array(lines, pa.binary()).cast(pa.string()),
        }
    )
    cursor.register("spool_lines", table)
    try:
        cursor.execute(_STAGE)
    finally:
        cursor.unregister("spool_lines")


def _is_json(cursor: duckdb.DuckDBPyConnection, line: bytes) -> bool:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return cursor.execute("select json_valid(?)", [text]).fetchone() == (True,)


def _without(read: _Read, faulty: Sequence[bytes]) -> _Read:
    """Move lines that are no records from the batch to its damages."""
    if not faulty:
        return read
    batch = read.batch
    damages = [Damage(offset=None, reason="not_a_record", content=line) for line in faulty]
    return replace(
        read,
        batch=replace(
            batch,
            lines=tuple(line for line in batch.lines if line not in faulty),
            damages=(*batch.damages, *damages),
        ),
    )
