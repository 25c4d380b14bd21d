"""Sizes of vector stores in the ledger: kept in the drain's transaction, let go of with the requests that told them."""

from datetime import datetime
from typing import Final

import duckdb

from monitor.records import LAST_SECOND

_STATED: Final = """
    select provider_name, billing_account_id, told.key as store_id, started_at as seen_at, told.value as bytes,
        map_extract(stored_until, told.key)[1] as until, record_id
    from (select *, unnest(map_entries(stored_bytes)) as told from stage where stored_bytes is not null)
    where told.key <> '' and told.value >= 0
"""
_KEEP: Final = f"""
    insert into stored_bytes by name
    select distinct * exclude until,
        case when until between 0 and {LAST_SECOND} then make_timestamp(until * 1000000) end as expires_at
    from ({_STATED}) s
    where not exists (from stored_bytes k where k.record_id = s.record_id and k.store_id = s.store_id)
"""
# What a store was said to hold last goes on to hold, however long ago that was.
_FORGET: Final = """
    delete from stored_bytes as old where seen_at < $cutoff and exists (
        from stored_bytes s where s.provider_name = old.provider_name and s.store_id = old.store_id
            and s.seen_at > old.seen_at and s.seen_at <= $cutoff
    )
"""


def keep_sizes(cursor: duckdb.DuckDBPyConnection, names: frozenset[str]) -> None:
    """Keep what the records of `stage` state of stores; what a record told before is not told again.

    Args:
        cursor: in the drain's transaction.
        names: the facts that records of `stage` have; without sizes among them nothing is asked.
    """
    if "stored_bytes" in names:
        cursor.execute(_KEEP)


def forget_sizes(cursor: duckdb.DuckDBPyConnection, cutoff: datetime) -> None:
    """Let go of sizes from before, of each store but the last; `cutoff` is ledger time."""
    cursor.execute(_FORGET, {"cutoff": cutoff})
