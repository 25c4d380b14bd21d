"""Requests without an end: those of a process that died become rows with the outcome *unknown*."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

import duckdb

from monitor.ledger.columns import BEGIN_COLUMNS, quoted
from monitor.ledger.corrections import retract
from monitor.ledger.ledger import Ledger
from monitor.ledger.rollup import append
from monitor.ledger.works import is_line
from monitor.spool.format import Header
from monitor.spool.reader import Segment, list_segments

_WRITERS: Final = """
    select segment, any_value(writer), bool_or(is_last) from checkpoints
    where segment in (select unnest(?::varchar[])) group by segment
"""


def settle(ledger: Ledger, segments: Sequence[Segment], spool: Path) -> None:
    """Requests whose process died become rows with the outcome *unknown*.

    Args:
        ledger: where the begin lines wait.
        segments: all that stood on the spool when it was read.
        spool: their directory.
    """
    with ledger.cursor() as cursor:
        waiting = cursor.execute("select distinct segment from begins").fetchall()
    if not waiting:
        return
    names = [row[0] for row in waiting]
    dead = _of_dead_writers(ledger, names, segments)
    if dead:
        # Since it was listed a program may have gone on to its next segment, and somebody may have renamed one.
        present = list_segments(spool)[0]
        dead = _of_dead_writers(ledger, dead, present, alive={*_holding(present)})
    if dead:
        _settle_segments(ledger, dead)


def _of_dead_writers(
    ledger: Ledger, names: Sequence[str], segments: Sequence[Segment], alive: AbstractSet[str] = frozenset()
) -> list[str]:
    """Those of the names whose writer has left nothing to be read on the spool."""
    # A segment that somebody removed from the spool keeps nobody alive.
    present = {segment.id for segment in segments}
    with ledger.cursor() as cursor:
        found = cursor.execute(_WRITERS, [[*present, *names]]).fetchall()
    writers = {segment: writer for segment, writer, _ in found}
    alive = {*alive, *(writer for segment, writer, is_ended in found if segment in present and not is_ended)}
    alive |= {writer_of(segment.header) for segment in segments if segment.id not in writers}
    return [name for name in names if writers.get(name) not in alive]


def _holding(segments: Sequence[Segment]) -> Iterator[str]:
    """Writers that hold a segment, whatever was read of a copy of it."""
    return (writer_of(segment.header) for segment in segments if not segment.is_writer_gone())


def _settle_segments(ledger: Ledger, segments: Sequence[str]) -> None:
    columns = ", ".join(f"b.{quoted(name)}" for name in BEGIN_COLUMNS)
    with ledger.writing() as cursor:
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
                and b.record_id not in (select seen_record_id from sightings)
            """,
            [list(segments)],
        )
        bounds = cursor.execute("select min(started_at), max(started_at) from settled").fetchone() or (None, None)
        if bounds[0] is not None:
            cursor.execute("insert into requests by name select * from settled")
            # The bounds are given as values so that only the parts of the table are read that can hold the rows.
            cursor.execute(
                "create or replace temp table settled_rows as select r.* from requests r"
                " where started_at between ? and ? and outcome = 'unknown'"
                " and record_id in (select record_id from settled)",
                bounds,
            )
            append(cursor, "settled_rows")
        cursor.execute("delete from begins where list_contains(?, segment)", [list(segments)])


def take_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """Remove the rows with unknown outcome of the requests on `stage` that have ended after all.

    A writer whose disk was full, or whose spool was away for a while, looks dead and comes back.
    """
    # Lines of batches have no begin lines, and times that reach far back.
    ends = f"from stage s where kind = 'end' and not {is_line('s')}"
    first, last = cursor.execute(f"select min(started_at), max(started_at) {ends}").fetchone() or (None, None)
    if first is None:
        return
    cursor.execute(
        f"""
        create or replace temp table mistaken as
        select record_id, started_at from requests
        where outcome = 'unknown' and started_at between ? and ? and record_id in (select record_id {ends})
        """,
        [first, last],
    )
    retract(cursor, "mistaken", having="outcome = 'unknown'")


def writer_of(header: Header) -> str:
    """Names the process that wrote a segment; a process number alone is used again."""
    process = f"{header.host}/{header.pid}/{header.process_started_at}"
    return process if header.boot_id is None else f"{process}/{header.boot_id}"
