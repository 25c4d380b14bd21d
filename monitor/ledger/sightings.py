"""The same request seen twice, such as by a client and a gateway: it counts once, and is known where else it was seen.

All is decided on `stage`, before it is priced. What a wrapped client tells stays; what another source tells of the same
request gives way to it, whichever came first, and so do other sources among themselves. What was seen elsewhere is kept
in `sightings`, and its usage is taken where it is better known there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import duckdb

from monitor.ledger.columns import quoted
from monitor.ledger.corrections import restage
from monitor.ledger.late import STATED_LATE
from monitor.ledger.sighting_keys import FAR_REACH, OTHERS, is_certain, listed, matched_by, reach_of
from monitor.ledger.sighting_search import gather
from monitor.ledger.stage import make_table
from monitor.records import Usage

_KEPT: Final = (
    "source",
    "call_id",
    "request_id",
    "response_id",
    "provider_name",
    "service",
    "host",
    "outcome",
    "status",
    "duration",
    "usage_source",
    "input_tokens",
    "output_tokens",
    "segment",
    "seq",
)
"""What is kept of a sighting, beside its id and its time."""


def settle_sightings(
    cursor: duckdb.DuckDBPyConnection, now: datetime, *, again: Sequence[str] = ()
) -> Mapping[str, int]:
    """Take rows of `stage` out that tell of a request which another row tells of too.

    Args:
        cursor: in the drain's transaction.
        now: the moment that the sightings get, ledger time.
        again: segments of lines that may have been stored before from another segment.

    Returns:
        By segment, how many of its ends added no request. Where there are any, `stage` is a table now.
    """
    first, last, has_others = _one(
        cursor,
        f"select min(started_at), max(started_at), bool_or(source in {listed(OTHERS)}) from stage where kind = 'end'",
    )
    if not (again or has_others or (first and _are_others_stored(cursor, first, last))):
        return {}
    _find_repeated(cursor, again)
    gather(cursor)
    _match(cursor)
    _list_seconds(cursor)
    found = cursor.execute("select counted_for, count(*) from seconds group by all").fetchall()
    if found:
        _take_out(cursor, now)
    return dict(found)


def _are_others_stored(cursor: duckdb.DuckDBPyConnection, first: datetime, last: datetime) -> bool:
    found = cursor.execute(
        f"select 1 from requests where source in {listed(OTHERS)} and started_at between ? and ? limit 1",
        [first - 2 * FAR_REACH, last + 2 * FAR_REACH],
    )
    return found.fetchone() is not None


def _find_repeated(cursor: duckdb.DuckDBPyConnection, again: Sequence[str]) -> None:
    """The lines of `stage` whose very record is stored or stands before them.

    Lines of clients are known by segment and number; only those out of quarantine have come to another segment.
    """
    asked = f"kind = 'end' and (source in {listed(OTHERS)} or list_contains($1::varchar[], segment))"
    cursor.execute(
        f"""
        create or replace temp table asked as
        select line_number, record_id, started_at from stage
        where kind = 'end' and record_id in (select record_id from stage where {asked})
        """,
        [list(again)],
    )
    first, last = _one(cursor, "select min(started_at), max(started_at) from asked")
    stored = "true" if again else f"source in {listed(OTHERS)}"
    cursor.execute(
        f"""
        create or replace temp table repeated as
        with known as (
            select record_id from requests
            where {stored} and started_at between $1 and $2 and record_id in (select record_id from asked)
        )
        select line_number, record_id, started_at from asked
        where record_id in (select record_id from known)
        union all
        select line_number, record_id, started_at from asked
        where record_id not in (select record_id from known)
        qualify row_number() over (partition by record_id order by line_number) > 1
        """,
        [first, last],
    )


_NEAR: Final = f"range between {reach_of('s')} preceding and {reach_of('s')} following"
_BEST: Final = "min({'rank': rank, 'started_at': started_at, 'record_id': record_id})"


def _match(cursor: duckdb.DuckDBPyConnection) -> None:
    """Say of each row of `sights` that gives way to which it does: `pairs`.

    Rows with a certain id are of one request when each is near the next one. Other ids may be those of several
    requests one after the other: there only what is near a row itself can be the same.
    """
    cursor.execute(
        f"""
        create or replace temp table pairs as
        with placed as (
            select *, {reach_of("s")} as reach from sights s where {is_certain("s")}
        ), parted as (
            select *, seen_at - lag(seen_at) over near > greatest(reach, lag(reach) over near) as is_apart
            from placed window near as (partition by key order by seen_at, record_id)
        ), numbered as (
            select *, count(*) filter (is_apart) over (partition by key order by seen_at, record_id) as part from parted
        ), ranked as (
            select * exclude (reach, is_apart, part), {_BEST} over together as best,
                min(segment) over together as new_segment
            from numbered window together as (partition by key, part)
            union all by name
            select *, {_BEST} over (partition by key order by seen_at {_NEAR}) as best
            from sights s where not {is_certain("s")}
        )
        select l.record_id as seen_record_id, l.line_number, l.usage_rank, l.rank, {matched_by("l")} as matched_by,
            w.record_id, w.started_at, w.line_number as kept_line, w.usage_rank as kept_usage_rank,
            coalesce(l.segment, w.segment, l.new_segment) as counted_for
        from ranked l join (select distinct on (record_id) * from sights) w
            on w.key = l.key and w.record_id = l.best.record_id
        where l.source in {listed(OTHERS)} and l.record_id <> w.record_id
            and (l.source <> w.source or {is_certain("l")})
            -- Those that are stored were looked at before, unless something new links them.
            and counted_for is not null
        qualify row_number() over (partition by l.record_id order by l.best) = 1
        """
    )


def _list_seconds(cursor: duckdb.DuckDBPyConnection) -> None:
    """What gives way, be it a record that was there before or one of `pairs`: `seconds`."""
    cursor.execute(
        """
        create or replace temp table seconds as
        with repeats as (
            select r.record_id as seen_record_id, r.line_number, r.record_id, r.started_at, 'record_id' as matched_by,
                s.segment as counted_for
            from repeated r join stage s using (line_number)
        ), found as (
            select seen_record_id, line_number, record_id, started_at, matched_by, counted_for from pairs
            union all from repeats
        )
        -- What one gives way to may give way itself.
        select f.* replace (
            coalesce(p.record_id, f.record_id) as record_id, coalesce(p.started_at, f.started_at) as started_at
        )
        from found f left join pairs p on p.seen_record_id = f.record_id
        """
    )


def _take_out(cursor: duckdb.DuckDBPyConnection, now: datetime) -> None:
    make_table(cursor)
    cursor.execute(
        """
        create or replace temp table takers as
        select record_id, any_value(started_at) as started_at, any_value(kept_line) as line_number,
            first(seen_record_id order by usage_rank, rank, seen_record_id) as giver
        from pairs where usage_rank < kept_usage_rank group by record_id
        """
    )
    restage(
        cursor,
        """(
            select seen_record_id as record_id, s.started_at
            from seconds x join sights s on s.record_id = x.seen_record_id and s.line_number is null
            where x.line_number is null
            union all select record_id, started_at from takers where line_number is null
        )""",
    )
    cursor.execute(
        """
        create or replace temp table lost as
        select s.*, x.record_id as kept_id, x.matched_by from stage s join seconds x using (line_number)
        union all by name
        select s.*, x.record_id as kept_id, x.matched_by
        from stage s join seconds x on x.seen_record_id = s.record_id
        where s.kind = 'corrected' and x.line_number is null
        """
    )
    cursor.execute("delete from stage where line_number in (select line_number from seconds)")
    cursor.execute(
        """
        delete from stage where kind = 'corrected'
            and record_id in (select seen_record_id from seconds where line_number is null)
        """
    )
    _share_usage(cursor)
    _keep(cursor, now)


def _share_usage(cursor: duckdb.DuckDBPyConnection) -> None:
    """Give the rows that stay the usage that is better known elsewhere; how the request ended stays as they tell it."""
    cursor.execute(
        f"""
        create or replace temp table informed as
        select w.* replace ({_TAKEN})
        from stage w join takers t using (record_id)
            join lost l on l.record_id = t.giver and l.matched_by <> 'record_id'
        """
    )
    cursor.execute("delete from stage where record_id in (select record_id from takers)")
    cursor.execute("insert into stage by name select * from informed")


def _keep(cursor: duckdb.DuckDBPyConnection, now: datetime) -> None:
    facts = ", ".join(map(quoted, _KEPT))
    cursor.execute(
        f"""
        insert into sightings by name
        select kept_id as record_id, record_id as seen_record_id, started_at, matched_by, {facts},
            ?::timestamp as seen_at
        from lost
        """,
        [now],
    )
    cursor.execute("delete from begins where record_id in (select seen_record_id from seconds)")
    # What gave way to a row that gives way now.
    moved = "from seconds x where x.line_number is null and x.seen_record_id"
    cursor.execute(f"update sightings set record_id = x.record_id {moved} = sightings.record_id")
    for table in ("counted_usages", "container_sessions"):
        cursor.execute(
            f"update {table} set record_id = x.record_id, started_at = x.started_at {moved} = {table}.record_id"
        )


def _one(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return cursor.execute(sql).fetchone() or ()


def _taken() -> dict[str, str]:
    """SQL of the columns of a row `w` that takes the usage of its other sighting `l`."""
    # As with usage that comes late: of an estimate nothing stays, what the request itself told does.
    own = "case when w.usage_source = 'none' then w.{0} end"
    return {
        **{name: f"coalesce(l.{name}, {own.format(name)})" for name in Usage.__struct_fields__},
        **{name: f"coalesce(l.{name}, w.{name})" for name in STATED_LATE},
        "response_model": "coalesce(w.response_model, l.response_model)",
        "model": "coalesce(w.response_model, l.response_model, w.request_model)",
        "is_batch": "w.is_batch or l.is_batch",
        "usage_source": "l.usage_source",
    }


_TAKEN: Final = ", ".join(f"{sql} as {name}" for name, sql in _taken().items())
