"""The drain: the one way records get into the ledger. Spool lines become priced rows, rollup and checkpoint at once.

One transaction takes a load of lines: rows, prices, rollup and the offsets up to which the segments are read. So each
line counts exactly once, whatever dies when. No Python runs per row on the good path but the checksum and a look at
the kind of line.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb
import pyarrow as pa

from monitor.health import Health
from monitor.ledger.backlog import Backlog, backlog, headless_of, unread_of
from monitor.ledger.columns import BEGIN_COLUMNS, RECORD_COLUMNS, quoted
from monitor.ledger.costs import priced_select
from monitor.ledger.discounts import match_new_discounts, store_discounts
from monitor.ledger.gaps import NEWEST_GAPS
from monitor.ledger.intake import Intake, Load, Position
from monitor.ledger.late import settle_late
from monitor.ledger.ledger import Ledger, transaction
from monitor.ledger.prices import match_new_models
from monitor.ledger.quarantine import RETRIED, damaged_pieces, settle_pieces
from monitor.ledger.reread import read_again
from monitor.ledger.rollup import append
from monitor.ledger.sessions import NO_SESSIONS, SESSIONS_FOUND, settle_sessions
from monitor.ledger.sightings import settle_sightings
from monitor.ledger.stage import ONCE, stage, stage_begins, stage_priced
from monitor.ledger.storage import keep_sizes
from monitor.ledger.unknown import settle, take_back, writer_of
from monitor.pricing.book import PriceBook
from monitor.spool.numbers import Seen
from monitor.spool.reader import Heads, Segment, list_segments

log = logging.getLogger(__name__)

_STORED: Final = (*(quoted(name) for name in RECORD_COLUMNS), "model")
_POSITIONS: Final = f"""
    select segment, max(to_offset), bool_or(is_last), max(last_seq), coalesce({NEWEST_GAPS}, [])
    from checkpoints where segment in (select unnest(?::varchar[])) group by segment
"""
# Values by column: `executemany` takes a millisecond a row, and thousands of programs may have a file each.
_CHECKPOINT: Final = """
    insert into checkpoints (
        segment, file, writer, from_offset, to_offset, lines, records, duplicates, quarantined, repeated,
        last_seq, missing, is_last, drained_at
    ) select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::bigint[]), unnest(?::bigint[]),
        unnest(?::bigint[]), unnest(?::bigint[]), unnest(?::bigint[]), unnest(?::bigint[]), unnest(?::bigint[]),
        unnest(?::bigint[]), unnest(?::bigint[][][]), unnest(?::boolean[]), ?
"""
_QUARANTINE: Final = """
    insert into quarantine (segment, file, byte_offset, reason, line, seen_at)
    select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[]),
        ?
"""
_NOTHING_SETTLED: Final[Mapping[str, Sequence[int]]] = MappingProxyType({})
_BEGUN: Final = ", ".join(map(quoted, BEGIN_COLUMNS))


class Drain:
    """Moves what waits on the spool into the ledger. Only the holder of the lease may have one."""

    def __init__(self, ledger: Ledger, spool: Path, book: PriceBook, health: Health) -> None:
        """Nothing is read yet; where to go on stands in the ledger."""
        self._ledger = ledger
        self._spool = spool
        self._health = health
        self._intake = Intake()
        self._heads = Heads()
        self.use(book)

    def use(self, book: PriceBook) -> None:
        """Price new models, and at what discount, by this book from the next load on."""
        # No load may be stored between the two: it would remember discounts that hold no longer.
        with self._ledger.turn():
            store_discounts(self._ledger, book.own)
            self._book = book

    def waiting(self) -> int:
        """Bytes on the spool that are not yet in the ledger."""
        segments, others = list_segments(self._spool, self._heads)
        unread = _unread(_each_once(segments), self._positions(segments))
        return unread + headless_of(others, self._ledger.clock()).waiting

    def backlog(self) -> Backlog:
        """What waits on the spool, more closely."""
        segments, others = list_segments(self._spool, self._heads)
        now = self._ledger.clock()
        return backlog(_each_once(segments), self._positions(segments), headless_of(others, now), now)

    def run(self) -> int:
        """Drain what waits now and return the number of records stored; what comes in meanwhile may be left."""
        segments = _each_once(list_segments(self._spool, self._heads)[0])
        positions = self._positions(segments)
        # A program that writes without a pause must not keep a report waiting for ever.
        waiting = _unread(segments, positions)
        records = 0
        for load in self._loads(segments, positions):
            records += self._store(load)
            waiting -= load.size()
            if waiting <= 0:
                break
        settle(self._ledger, segments, self._spool)
        return records

    def read_again(self) -> int:
        """Read damaged segments from their start again; returns how many lines are whole that were not.

        All that waits must be drained before, and nobody may drain meanwhile. What is damaged still stays where it is.
        """
        segments = list_segments(self._spool, self._heads)[0]
        positions = self._positions(segments)
        pieces = damaged_pieces(self._ledger, list(positions))
        lines = 0
        for segment in segments:
            known = positions.get(segment.id)
            if known is None or not (known.seen.missing or segment.id in pieces):
                continue
            for again in read_again(self._intake, segment, known, pieces.get(segment.id, ())):
                self._store(again.load, {segment.id: again.settled})
                lines += sum(item.lines for item in again.load.taken)
                # Of the next copy of the segment only what it has more is taken.
                seen = again.load.positions().get(segment.id, positions[segment.id]).seen
                positions[segment.id] = replace(known, seen=seen)
        return lines

    def _loads(self, segments: Sequence[Segment], positions: Mapping[str, Position]) -> Iterator[Load]:
        """The loads that wait, each got ready while the one before is stored."""
        load = self._intake.load(segments, positions)
        is_backlog = load is not None and load.has_more
        beside = self._ledger.leaving_a_core() if is_backlog else nullcontext()
        with beside, ThreadPoolExecutor(1, thread_name_prefix="drain intake") as pool:
            while load is not None:
                positions = {**positions, **load.positions()}
                following = pool.submit(self._intake.load, segments, positions) if load.has_more else None
                yield load
                load = following.result() if following else None

    def _store(self, load: Load, settled: Mapping[str, Sequence[int]] = _NOTHING_SETTLED) -> int:
        """One load in one transaction; returns how many records it had.

        Args:
            load: what is stored.
            settled: by segment, the offsets of damaged pieces that leave the quarantine with it.
        """
        now = self._ledger.clock().replace(tzinfo=None)
        with self._ledger.turn() as cursor:
            if load.ends is not None:
                stage(cursor, load.ends)
            if load.begins is not None:
                stage_begins(cursor, load.begins)
            with transaction(cursor):
                duplicates = self._keep_records(cursor, load, now) if load.ends is not None else {}
                if load.begins is not None:
                    _keep_begins(cursor, beside_records=load.ends is not None)
                _keep_dropped(cursor, load, now)
                quarantined = _quarantine(cursor, load, now)
                _checkpoint(cursor, load, duplicates, now)
                for segment, offsets in settled.items():
                    settle_pieces(cursor, segment, offsets, now)
        records = sum(item.records for item in load.taken) - sum(duplicates.values())
        self._health.count("records_drained_total", records)
        if quarantined:
            self._health.count("lines_quarantined_total", quarantined)
            log.warning("%d damaged lines of the spool are in quarantine.", quarantined)
        return records

    def _keep_records(self, cursor: duckdb.DuckDBPyConnection, load: Load, now: datetime) -> Mapping[str, int]:
        """Store what is staged; returns how many of a segment's requests were stored already."""
        take_back(cursor)
        told = frozenset(RECORD_COLUMNS) if load.ends is None else _facts_in(load.ends)
        keep_sizes(cursor, told)
        again = [item.segment.id for item in load.taken if item.segment.header.host == RETRIED]
        duplicates = settle_sightings(cursor, now, again=again)
        has_changed = settle_late(cursor) or bool(duplicates)
        names = frozenset(RECORD_COLUMNS) if has_changed else told
        found = SESSIONS_FOUND if settle_sessions(cursor, names) else NO_SESSIONS
        match_new_models(cursor, self._book, self._ledger, has_containers=bool(found.facts))
        has_discounts = match_new_discounts(cursor, self._book.own)
        price = partial(priced_select, names=names | {*found.facts}, has_discounts=has_discounts, source=found.source)
        rows = _priced(cursor, price, found.facts, None if has_changed else load.ends)
        cursor.execute(f"insert into requests by name select * from {rows}")
        append(cursor, "priced", at_list=not has_discounts)
        return duplicates

    def _positions(self, segments: Sequence[Segment]) -> dict[str, Position]:
        """How far they are read. Only theirs: the ledger knows every segment there ever was."""
        with self._ledger.cursor() as cursor:
            rows = cursor.execute(_POSITIONS, [[segment.id for segment in segments]]).fetchall()
        return {
            segment: Position(offset=offset, is_last=is_last, seen=_seen(last_seq, missing))
            for segment, offset, is_last, last_seq, missing in rows
        }


def _priced(
    cursor: duckdb.DuckDBPyConnection,
    price: Callable[[tuple[str, ...]], str],
    facts: tuple[str, ...],
    ends: pa.Table | None,
) -> str:
    """Make `priced` of what is staged; returns the name under which it is to be stored.

    Args:
        cursor: that has what is staged.
        price: SQL that computes costs and takes columns along.
        facts: what was found out beside.
        ends: the load's records; None where `stage` has others.
    """
    if ends is not None and stage_priced(cursor, ends, cursor.execute(price(("line_number", *facts))).to_arrow_table()):
        return ONCE
    cursor.execute(f"create or replace temp table priced as {price((*_STORED, *facts))}")
    return "priced"


def _facts_in(ends: pa.Table) -> frozenset[str]:
    """The facts that some request has: of the others nothing is computed, though they have a column."""
    return frozenset(name for name in ends.column_names if ends[name].null_count < len(ends))


def _seen(last_seq: int | None, missing: list[list[int]] | None) -> Seen:
    next_seq = 0 if last_seq is None else last_seq + 1
    return Seen(next_seq, tuple((first, last) for first, last in missing or ()))


def _unread(segments: Sequence[Segment], positions: Mapping[str, Position]) -> int:
    return sum(unread_of(segment, positions) for segment in segments)


def _keep_begins(cursor: duckdb.DuckDBPyConnection, *, beside_records: bool) -> None:
    # Most calls end in the load in which they begin; only the others are kept.
    others = "where record_id not in (select cast(record_id as uuid) from ends)" if beside_records else ""
    cursor.execute(f"insert into begins by name select {_BEGUN}, segment from begun b {others}")


def _keep_dropped(cursor: duckdb.DuckDBPyConnection, load: Load, now: datetime) -> None:
    for item in load.dropped:
        cursor.execute("insert into dropped values (?, ?, ?, ?)", [item.segment, item.reason, item.count, now])


def _quarantine(cursor: duckdb.DuckDBPyConnection, load: Load, now: datetime) -> int:
    rows = [
        (
            *(item.segment.id, item.segment.name, damage.offset, damage.reason),
            damage.content.decode("utf-8", "replace"),
        )
        for item in load.taken
        for damage in item.damages
    ]
    if rows:
        cursor.execute(_QUARANTINE, [*_columns_of(rows), now])
    return len(rows)


def _checkpoint(cursor: duckdb.DuckDBPyConnection, load: Load, duplicates: Mapping[str, int], now: datetime) -> None:
    rows = []
    for item in load.taken:
        segment, position = item.segment, item.position
        place = (segment.id, segment.name, writer_of(segment.header), item.from_offset, position.offset)
        counts = (item.lines, item.records, duplicates.get(segment.id, 0), len(item.damages), item.repeated)
        last_seq = position.seen.next_seq - 1 if position.seen.next_seq else None
        rows.append([*place, *counts, last_seq, list(map(list, position.seen.missing)), position.is_last])
    if rows:
        cursor.execute(_CHECKPOINT, [*_columns_of(rows), now])


def _columns_of(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


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
