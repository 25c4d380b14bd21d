"""Changes what is stored, in the drain's transaction: rows are taken out, and what cancels them goes to the rollups.

These are only ever appended to. Their hours are never summed again: the requests of old hours may be gone.
"""

from collections.abc import Mapping
from typing import Final

import duckdb

from monitor.ledger.columns import RECORD_COLUMNS, quoted
from monitor.ledger.rollup import append

_STAGED: Final = (*RECORD_COLUMNS, "model")


def retract(cursor: duckdb.DuckDBPyConnection, chosen: str, *, having: str = "true") -> bool:
    """Take rows out of `requests` and out of the rollup; whether there were any. They stand in `retracted` then.

    Args:
        cursor: in a transaction.
        chosen: a table with `record_id` and `started_at` of the rows.
        having: a condition on the rows, beside.
    """
    first, last = cursor.execute(f"select min(started_at), max(started_at) from {chosen}").fetchone() or (None, None)
    if first is None:
        return False
    # The bounds are given as values so that only the parts of the table are read that can hold the rows.
    rows = f"started_at between ? and ? and record_id in (select record_id from {chosen}) and {having}"
    cursor.execute(f"create or replace temp table retracted as select * from requests where {rows}", [first, last])
    append(cursor, "retracted", is_negated=True)
    cursor.execute(f"delete from requests where {rows}", [first, last])
    return True


def restage(cursor: duckdb.DuckDBPyConnection, chosen: str, *, changes: Mapping[str, str] | None = None) -> None:
    """Take rows out of the ledger and put them on `stage` as `corrected`, to be priced and stored with the batch.

    Args:
        cursor: in a transaction.
        chosen: a table with `record_id` and `started_at` of the rows.
        changes: SQL of columns that get another value.
    """
    if retract(cursor, chosen):
        sql = {name: quoted(name) for name in _STAGED} | dict(changes or {})
        columns = ", ".join(f"{value} as {quoted(name)}" for name, value in sql.items())
        cursor.execute(f"insert into stage by name select 'corrected' as kind, {columns} from retracted")
