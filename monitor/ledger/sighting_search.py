"""Looks for rows that may tell of one request: those of `stage`, and stored ones near them in time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb

from monitor.ledger.sighting_keys import (
    FAR_REACH,
    LIVE_REACH,
    LONG,
    OTHERS,
    UNIQUE,
    id_of,
    key_of,
    listed,
    rank_of,
    usage_rank_of,
)
from monitor.records import CLIENT, IMPORT, SOURCES

_LIVE_OTHERS: Final = tuple(name for name in OTHERS if name != IMPORT)
_LIVE: Final = tuple(name for name in SOURCES if name != IMPORT)


@dataclass(frozen=True, slots=True)
class _Search:
    """Of which sources' rows of `stage` others are looked for, among which stored ones, and whether always far away."""

    staged: tuple[str, ...]
    stored: tuple[str, ...]
    is_far: bool = False


_SEARCHES: Final = (
    _Search(_LIVE_OTHERS, _LIVE),
    _Search((CLIENT,), _LIVE_OTHERS),
    _Search((IMPORT,), SOURCES, is_far=True),
    _Search(_LIVE, (IMPORT,), is_far=True),
)


def _facts(line_number: str, segment: str, seen_at: str = "s.started_at") -> str:
    return f"""
        record_id, s.started_at, source, {line_number} as line_number, {segment} as segment, {key_of("s")} as key,
        {id_of("s")} as id, {rank_of("s")} as rank, {usage_rank_of("s")} as usage_rank, {seen_at} as seen_at
    """


_STAGED: Final = f"""
    select {_facts("line_number", "segment")} from stage s
    where kind = 'end' and line_number not in (select line_number from repeated) and key is not null
"""
_STORED: Final = f"select {_facts('null::bigint', 'null::varchar')} from requests s where key is not null"
_SEEN: Final = f"""
    select {_facts("null::bigint", "null::varchar", "e.seen_at")} from requests s join elsewhere e using (record_id)
    where key is not null
"""
_HAS_LONG_ID: Final = f"length(s.response_id) >= {LONG}"


def gather(cursor: duckdb.DuckDBPyConnection) -> None:
    """All rows that may tell of one request with another, of `stage` and stored, as `sights`."""
    cursor.execute(f"create or replace temp table sights as {_STAGED} and source in {listed(OTHERS)}")
    for search in _SEARCHES:
        staged = f"from stage s where kind = 'end' and source in {listed(search.staged)} and {id_of('s')} is not null"
        bounds = _bounds(cursor, staged, is_far=search.is_far)
        if bounds:
            cursor.execute(
                f"""
                insert into sights {_STORED} and source in {listed(search.stored)} and started_at between $1 and $2
                    and {id_of("s")} in (select {id_of("s")} {staged})
                    and record_id not in (select record_id from sights where line_number is null)
                """,
                bounds,
            )
    _gather_seen_elsewhere(cursor)
    known = f"{id_of('s')} in (select id from sights)"
    cursor.execute(f"insert into sights {_STAGED} and source in {listed((CLIENT,))} and {known}")


def _bounds(cursor: duckdb.DuckDBPyConnection, staged: str, *, is_far: bool = False) -> list[datetime] | None:
    """Within what times other sightings of the rows are, to be given as values: so other parts are passed over."""
    first, last, has_unique = _one(
        cursor, f"select min(s.started_at), max(s.started_at), bool_or(length(s.response_id) >= {UNIQUE}) {staged}"
    )
    if first is None:
        return None
    reach = FAR_REACH if is_far or has_unique else LIVE_REACH
    return [first - reach, last + reach]


def _gather_seen_elsewhere(cursor: duckdb.DuckDBPyConnection) -> None:
    """The stored requests once more, at each time at which somebody else saw them: what is near that is theirs too."""
    staged = f"from stage s where kind = 'end' and {_HAS_LONG_ID}"
    bounds = _bounds(cursor, staged)
    if not bounds:
        return
    cursor.execute(
        f"""
        create or replace temp table elsewhere as
        select record_id, started_at as seen_at from sightings s
        where started_at between $1 and $2 and matched_by = 'response_id' and {_HAS_LONG_ID}
            and response_id in (select response_id {staged})
        """,
        bounds,
    )
    first, last = _one(cursor, "select min(seen_at), max(seen_at) from elsewhere")
    if first is not None:
        cursor.execute(
            f"insert into sights {_SEEN} and s.started_at between $1 and $2",
            [first - 2 * FAR_REACH, last + 2 * FAR_REACH],
        )


def _one(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return cursor.execute(sql).fetchone() or ()
