"""Housekeeping of what the drain appends, and the end of a spool segment's life."""

import stat
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from monitor.ledger.gaps import NEWEST_GAPS
from monitor.ledger.ledger import Ledger
from monitor.spool.reader import is_held, list_segments


def compact_positions(ledger: Ledger) -> None:
    """Merge each segment's checkpoints into one row, and drop begin lines whose end is stored."""
    with ledger.writing() as cursor:
        cursor.execute(
            f"""
            create or replace temp table merged_checkpoints as
            select segment, arg_max(file, to_offset) as file, any_value(writer) as writer,
                min(from_offset) as from_offset, max(to_offset) as to_offset,
                cast(sum(lines) as bigint) as lines, cast(sum(records) as bigint) as records,
                cast(sum(quarantined) as bigint) as quarantined, cast(sum(repeated) as bigint) as repeated,
                cast(sum(duplicates) as bigint) as duplicates, max(last_seq) as last_seq,
                {NEWEST_GAPS} as missing,
                bool_or(is_last) as is_last, max(drained_at) as drained_at
            from checkpoints
            -- Most segments are long gone and have one row.
            where segment in (select segment from checkpoints group by segment having count(*) > 1)
            group by segment
            """
        )
        cursor.execute("delete from checkpoints where segment in (select segment from merged_checkpoints)")
        cursor.execute("insert into checkpoints by name select * from merged_checkpoints")
        cursor.execute(
            """
            delete from begins where record_id in (
                select record_id from requests where started_at >= (select min(started_at) from begins)
            )
            """
        )


def retire_segments(ledger: Ledger, spool: Path, *, keep: float) -> list[Path]:
    """Delete the segments that are not needed any more; returns them.

    A segment goes when all of it is committed, its writer has ended it or is gone, `keep` seconds have passed, and
    the ledger has checkpointed since: a write-ahead log that is damaged can then be set aside.
    """
    old_at = ledger.clock().replace(tzinfo=None) - timedelta(seconds=keep)
    # By the id inside: one that somebody renamed, and every copy, goes too.
    segments = list_segments(spool)[0]
    with ledger.cursor() as cursor:
        rows = cursor.execute(
            """
            select segment, max(to_offset) from checkpoints
            where segment in (select unnest(?::varchar[]))
            group by segment having bool_or(is_last) and max(drained_at) < ?
            """,
            [[segment.id for segment in segments], old_at],
        ).fetchall()
    read = dict(rows)
    done = [(segment.path, read[segment.id]) for segment in segments if segment.id in read]
    if done:
        # First asked, then checkpointed: whatever clocks and other threads do, what was committed is in the file.
        ledger.checkpoint()
    return list(_removed(done))


def retire_empty_files(spool: Path, *, older_than: float, now: float) -> list[Path]:
    """Delete the empty files of writers that died before their first line; returns them.

    Args:
        spool: the spool directory.
        older_than: seconds since the file was made; a living writer writes its header at once.
        now: the current moment, seconds since 1970.
    """
    gone = []
    for path in list_segments(spool)[1]:
        facts = path.lstat()
        if stat.S_ISREG(facts.st_mode) and facts.st_size == 0 and now - facts.st_mtime > older_than:
            path.unlink()
            gone.append(path)
    return gone


def _removed(files: Iterable[tuple[Path, int]]) -> Iterable[Path]:
    for path, size in files:
        # A file that has grown since, or is still written to, is not the one that was read to its end: it stays.
        if path.is_file() and path.stat().st_size == size and not is_held(path):
            path.unlink()
            yield path
