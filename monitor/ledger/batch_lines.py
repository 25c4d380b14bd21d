"""Lines of the files that batches put out: each counts once, however often it is read, and instead of its batch."""

from typing import Final

import duckdb

from monitor.ledger.corrections import restage
from monitor.ledger.works import file_key, has_usage, is_line, line_key

_LINES: Final = f"""
    create or replace temp table lines as
    select record_id, started_at, usage_key, file_key, has_usage,
        row_number() over (partition by usage_key order by started_at, seq, record_id) = 1
            and usage_key not in (select usage_key from counted_usages where kind = 'line') as is_first
    from (
        select record_id, started_at, seq, {line_key("s")} as usage_key, {file_key("s")} as file_key,
            usage_source <> 'repeated' and {has_usage("s")} as has_usage
        from stage s where kind = 'end' and {is_line("s")}
    )
"""


def count_lines(cursor: duckdb.DuckDBPyConnection) -> None:
    """Let each line on `stage` count unless it did before, and take back what their batches have counted as a whole."""
    cursor.execute(_LINES)
    cursor.execute(
        """
        update stage set usage_source = case
            when not x.is_first then 'repeated' when x.has_usage then 'response' else 'none'
        end
        from lines x
        where stage.record_id = x.record_id and stage.kind = 'end' and (not x.is_first or stage.usage_source = 'late')
        """
    )
    cursor.execute(
        """
        create or replace temp table files as
        select file_key, first(record_id order by started_at, record_id) as record_id, min(started_at) as started_at
        from lines where is_first and has_usage
            and file_key not in (select usage_key from counted_usages where kind = 'file')
        group by file_key
        """
    )
    cursor.execute(
        """
        insert into counted_usages by name
        select 'line' as kind, usage_key, record_id, started_at from lines where is_first
        union all by name
        select 'file' as kind, file_key as usage_key, record_id, started_at from files
        """
    )
    _take_back(cursor)


def _take_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """The usage that a batch stated as a whole stays in its row, but counts no more."""
    cursor.execute(
        """
        create or replace temp table outdone as
        select record_id, started_at from counted_usages
        where kind = 'batch' and usage_key in (select file_key from files)
        """
    )
    restage(cursor, "outdone", changes={"usage_source": "'repeated'"})
    cursor.execute("delete from counted_usages where kind = 'batch' and usage_key in (select file_key from files)")
