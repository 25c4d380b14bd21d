"""Sessions of containers in the ledger: which request of a load begins which, in the drain's transaction."""

from dataclasses import dataclass
from typing import Final

import duckdb

from monitor.ledger.columns import COMPUTED_FACTS
from monitor.pricing.sessions import COUNTING_SOURCES, Session, Sessions, Use


@dataclass(frozen=True, slots=True)
class Staged:
    """Where the records of a load stand, and the facts they have there that no record has."""

    source: str
    facts: tuple[str, ...]


_SESSIONS: Final = "container_sessions"
NO_SESSIONS: Final = Staged("stage", ())
SESSIONS_FOUND: Final = Staged("stage_with_sessions", (_SESSIONS,))

_COUNTING: Final = ", ".join(f"'{source}'" for source in COUNTING_SOURCES)
_USES: Final = f"""
    select cast(record_id as varchar) as id, started_at, list_filter(containers, lambda name: name <> '') as named,
        container_memory, usage_source in ({_COUNTING})
    from stage where kind in ('end', 'corrected') and len(named) > 0
    order by started_at, id
"""
_KNOWN: Final = """
    select container_id, started_at, memory, cast(record_id as varchar) from container_sessions
    where container_id in (select unnest(?::varchar[]))
    order by started_at
"""
_TELL: Final = """
    insert into container_sessions (container_id, started_at, memory, record_id)
    select unnest(?::varchar[]), unnest(?::timestamp[]), unnest(?::varchar[]), unnest(?::uuid[])
"""
_BEGUN: Final = f"""
    create or replace temp table sessions_begun as
    select unnest(?::uuid[]) as record_id, unnest(?::{COMPUTED_FACTS[_SESSIONS]}[]) as {_SESSIONS}
"""


def settle_sessions(cursor: duckdb.DuckDBPyConnection, names: frozenset[str]) -> bool:
    """Find the sessions that the records of `stage` begin; whether any record there used a container.

    If so, the source of `SESSIONS_FOUND` stands for `stage` afterwards.

    Args:
        cursor: in the drain's transaction, after it was decided which usage counts.
        names: the facts that records of `stage` have.
    """
    if "containers" not in names:
        return False
    uses = [
        Use(record_id=record_id, started_at=started_at, containers=containers, memory=memory, is_counted=is_counted)
        for record_id, started_at, containers, memory, is_counted in cursor.execute(_USES).fetchall()
    ]
    if not uses:
        return False
    sessions = _known(cursor, uses)
    # First of all: what they let go of, another request of the same load may have to pay.
    _let_go(cursor, sessions, [use for use in uses if not use.is_counted])
    begun = {use.record_id: sessions.begun_by(use) for use in uses}
    _keep(cursor, sessions)
    maps = [None if found is None else {"key": [*found], "value": [*found.values()]} for found in begun.values()]
    cursor.execute(_BEGUN, [[*begun], maps])
    cursor.execute(
        f"create or replace temp view {SESSIONS_FOUND.source} as"
        f" select s.*, b.{_SESSIONS} from stage s left join sessions_begun b on b.record_id = s.record_id"
    )
    return True


def _known(cursor: duckdb.DuckDBPyConnection, uses: list[Use]) -> Sessions:
    named = [*dict.fromkeys(container_id for use in uses for container_id in use.containers)]
    return Sessions(
        Session(container_id=container_id, started_at=started_at, memory=memory, record_id=record_id)
        for container_id, started_at, memory, record_id in cursor.execute(_KNOWN, [named]).fetchall()
    )


def _let_go(cursor: duckdb.DuckDBPyConnection, sessions: Sessions, uses: list[Use]) -> None:
    gone = [use.record_id for use in uses if sessions.let_go(use)]
    if gone:
        cursor.execute("delete from container_sessions where record_id in (select unnest(?::uuid[]))", [gone])


def _keep(cursor: duckdb.DuckDBPyConnection, sessions: Sessions) -> None:
    rows = [(told.container_id, told.started_at, told.memory, told.record_id) for told in sessions.told]
    if rows:
        cursor.execute(_TELL, [list(column) for column in zip(*rows, strict=True)])
