"""Usage that comes late counts once, where it belongs: with the request that began the work, if that is known.

Answers about work, such as polls of a response in the background, come to the drain with the usage source `late`. All
is decided on `stage`, before it is priced: a stored row that changes is taken out and staged again.
"""

from datetime import timedelta
from typing import Final

import duckdb

from monitor.ledger.batch_lines import count_lines
from monitor.ledger.corrections import restage
from monitor.ledger.stage import make_table
from monitor.ledger.works import (
    file_key,
    has_usage,
    is_line,
    is_origin,
    is_statement,
    is_unfinished,
    may_have_origin,
    work_key,
)
from monitor.records import Usage

SEARCHED: Final = ((timedelta(days=1), "has_origin"), (timedelta(days=31), "has_origin and may_count"))
"""How long before an answer about work its beginning is looked for, and for which answers. Nearly all work ends within
a day. Answers can be read for 30 days; only one that would count by itself is worth looking back so far."""

_CLOCKS_DIFFER: Final = timedelta(hours=1)
_IS_END: Final = "kind in ('end', 'corrected')"

_IS_NEEDED: Final = f"""
    select count(*) filter ({is_line("s")}) > 0, count(*) filter ({is_statement("s")}) > 0,
        count(*) filter ({is_origin("s")} and {work_key("s")} in (
            select usage_key from counted_usages where kind = 'answer'
        )) > 0
    from stage s where kind = 'end'
"""


def settle_late(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Decide for each late statement of usage on `stage` where it counts; afterwards no row there is `late`.

    Returns whether rows of `stage` were changed, which then is a table.
    """
    has_lines, has_statements, has_awaited = cursor.execute(_IS_NEEDED).fetchone() or (False, False, False)
    if not (has_lines or has_statements or has_awaited):
        return False
    make_table(cursor)
    if has_awaited:
        _recall(cursor)
    if has_lines:
        count_lines(cursor)
    if has_statements or has_awaited:
        _list_statements(cursor)
        _find_origins(cursor)
        _settle(cursor)
        _name_sources(cursor)
    return True


def _recall(cursor: duckdb.DuckDBPyConnection) -> None:
    """Stage statements again that counted by themselves, because the request that began their work has come."""
    cursor.execute(
        f"""
        create or replace temp table recalled as
        select record_id, started_at from counted_usages
        where kind = 'answer'
            and usage_key in (select {work_key("s")} from stage s where kind = 'end' and {is_origin("s")})
        """
    )
    restage(cursor, "recalled", changes={"usage_source": "'late'"})
    cursor.execute(
        "delete from counted_usages where record_id in (select record_id from stage where kind = 'corrected')"
    )


def _list_statements(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        f"""
        create or replace temp table statements as
        select record_id, started_at, seq, provider_name, response_id, usage_source = 'late' as is_late,
            {work_key("s")} as work_key, {file_key("s")} as file_key, {may_have_origin("s")} as has_origin,
            not {is_unfinished("s")} as is_final, {has_usage("s")} as has_figures,
            is_final and has_figures as has_usage, is_late and is_final and has_figures as may_count,
            coalesce({file_key("s")} in (select usage_key from counted_usages where kind = 'file'), false)
                as is_in_lines
        from stage s where {_IS_END} and {is_statement("s")}
        """
    )
    cursor.execute(
        """
        create or replace temp table works as
        select work_key, provider_name, response_id, bool_or(may_count) as may_count, bool_or(has_origin) as has_origin,
            min(started_at) as first_at, max(started_at) as last_at,
            first(record_id order by has_usage desc, is_final desc, started_at, seq, record_id) as best_id,
            first(record_id order by started_at, seq, record_id) filter (may_count) as own_id
        from statements
        where work_key is not null
            and work_key not in (select usage_key from counted_usages where kind in ('work', 'answer'))
        group by all
        """
    )


def _find_origins(cursor: duckdb.DuckDBPyConnection) -> None:
    """The requests that began the works: those of the batch, then those that are stored, the nearest first."""
    cursor.execute(
        f"""
        create or replace temp table origins as
        select w.work_key, s.record_id, s.started_at, s.usage_source, {is_unfinished("s")} as is_unfinished,
            false as is_stored
        from works w join stage s using (provider_name, response_id)
        where {_IS_END} and {is_origin("s")}
        """
    )
    for window, whose in SEARCHED:
        lacking = f"{whose} and work_key not in (select work_key from origins)"
        bounds = f"select min(first_at), max(last_at) from works where {lacking}"
        first, last = cursor.execute(bounds).fetchone() or (None, None)
        if first is None:
            return
        cursor.execute(
            f"""
            insert into origins
            select w.work_key, r.record_id, r.started_at, r.usage_source, {is_unfinished("r")}, true
            from requests r join (select * from works where {lacking}) w using (provider_name, response_id)
            where r.started_at between ? and ? and {is_origin("r")}
            """,
            [first - window, last + _CLOCKS_DIFFER],
        )


def _settle(cursor: duckdb.DuckDBPyConnection) -> None:
    """Give each work's usage to the request that began it, unless that knows its usage."""
    cursor.execute(
        """
        create or replace temp table beginnings as
        select work_key, bool_or(usage_source not in ('none', 'estimated')) as is_counted,
            first(origins order by started_at, record_id) filter (usage_source in ('none', 'estimated')) as origin,
            first(origins order by started_at, record_id) as earliest
        from origins group by work_key
        """
    )
    cursor.execute(
        """
        create or replace temp table settlements as
        select work_key, b.origin.record_id as record_id, b.origin.started_at as started_at, s.record_id as by_id,
            b.origin.is_stored as is_stored, s.has_usage, s.is_in_lines, s.file_key
        from beginnings b join works w using (work_key) join statements s on s.record_id = w.best_id
        where not b.is_counted and (s.has_usage or s.is_final and b.origin.is_unfinished)
        """
    )
    restage(cursor, "(select * from settlements where is_stored)")
    cursor.execute(
        f"""
        create or replace temp table settled as
        select s.* replace ({_REPLACED})
        from stage s join settlements x on x.record_id = s.record_id
            join stage l on l.record_id = x.by_id
        where s.{_IS_END} and l.{_IS_END}
        """
    )
    cursor.execute(f"delete from stage where {_IS_END} and record_id in (select record_id from settlements)")
    cursor.execute("insert into stage by name select * from settled")
    _keep_keys(cursor)


def _keep_keys(cursor: duckdb.DuckDBPyConnection) -> None:
    """Remember what has been counted, and which row has the usage of a batch as a whole."""
    cursor.execute(
        """
        create or replace temp table holders as
        select 'work' as kind, work_key, file_key, record_id, started_at, has_usage, is_in_lines from settlements
        union all
        select 'work', work_key, null, earliest.record_id, earliest.started_at, true, true
        from beginnings where is_counted
        union all
        select 'answer', work_key, file_key, record_id, started_at, true, is_in_lines
        from statements where record_id in (
            select own_id from works where work_key not in (select work_key from beginnings)
        )
        """
    )
    cursor.execute(
        """
        insert into counted_usages by name
        select kind, work_key as usage_key, record_id, started_at from holders where has_usage
        union all by name
        select 'batch' as kind, file_key as usage_key, record_id, started_at from holders
        where file_key is not null and not is_in_lines
        """
    )


def _name_sources(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        f"""
        update stage set usage_source = case
            when not x.has_figures then 'none' when x.is_counted then 'response' else 'repeated'
        end
        from (
            select s.record_id, s.has_figures, h.record_id is not null and not h.is_in_lines as is_counted
            from statements s left join holders h on h.record_id = s.record_id
            where s.is_late
        ) x
        where stage.record_id = x.record_id and stage.{_IS_END}
        """
    )


def _replacements() -> dict[str, str]:
    """SQL of the columns of a settled row; `s` is the request that began the work, `l` what was said of it late."""
    # Of an estimate nothing stays beside what is stated; what the request itself told does.
    told = "case when s.usage_source = 'none' then s.{0} end"
    usage = {
        name: f"case when x.has_usage then coalesce(l.{name}, {told.format(name)}) else s.{name} end"
        for name in Usage.__struct_fields__
    }
    return {
        **usage,
        **{name: f"coalesce(l.{name}, s.{name})" for name in STATED_LATE},
        "response_model": "coalesce(s.response_model, l.response_model)",
        "model": "coalesce(s.response_model, l.response_model, s.request_model)",
        "is_batch": "s.is_batch or l.is_batch",
        "usage_source": (
            "case when x.is_in_lines then 'repeated' when x.has_usage then 'response' else s.usage_source end"
        ),
    }


STATED_LATE: Final = (
    "service_tier",
    "answer_status",
    "finish_reasons",
    "file_id",
    "media_size",
    "media_quality",
    "tool_calls",
    "containers",
    "container_memory",
    "tool_model",
    "tool_usage",
)
"""What an answer that knows the usage of a request knows of it beside."""

_REPLACED: Final = ", ".join(f"{sql} as {name}" for name, sql in _replacements().items())
