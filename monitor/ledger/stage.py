"""The records of a load as `stage`, shaped like the lines of the spool with all facts of the record.

On the good path `stage` is a view over what was read. Where rows are to be changed before they are stored it becomes
a table.
"""

from typing import Final

import duckdb
import pyarrow as pa

from monitor.ledger.columns import BEGIN_COLUMNS, DEFAULTS, RECORD_COLUMNS, quoted

ONCE: Final = "stage_once"
"""A view like `stage` that can be read a single time, but by all cores without waiting for each other."""

# The only request of a call does without the call's id on the spool.
_DEFAULTS: Final = {**DEFAULTS, "call_id": "record_id"}
_MODEL_PARTS: Final = ("response_model", "request_model")


def stage(cursor: duckdb.DuckDBPyConnection, ends: pa.Table) -> None:
    """Make the views `stage` and `stage_once` of a load's records; they live as long as the cursor."""
    cursor.register("ends", ends)
    cursor.register("ends_once", ends.to_reader())
    select = _select(set(ends.column_names))
    cursor.execute(f"create temp view stage as {select} from ends")
    cursor.execute(f"create temp view {ONCE} as {select} from ends_once")


def make_table(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make `stage` a table, whose rows can be changed, unless it is one."""
    if cursor.execute("from duckdb_views() where view_name = 'stage'").fetchone() is None:
        return
    cursor.execute("create temp table staged as select * from stage")
    cursor.execute("drop view stage")
    cursor.execute("alter table staged rename to stage")


def stage_begins(cursor: duckdb.DuckDBPyConnection, begins: pa.Table) -> None:
    """Make the view `begun` of a load's begin lines."""
    cursor.register("begin_lines", begins)
    names = set(begins.column_names)
    facts = ", ".join(_fact(name, RECORD_COLUMNS[name], names) for name in BEGIN_COLUMNS)
    cursor.execute(f"create temp view begun as select {facts}, segment from begin_lines")


def _select(names: set[str]) -> str:
    facts = ",\n".join(_fact(name, kind, names) for name, kind in RECORD_COLUMNS.items())
    model = ", ".join([name for name in _MODEL_PARTS if name in names]) or "null"
    return f"""
        select 'end' as kind, line_number, segment, seq, {facts}, cast(coalesce({model}) as varchar) as model
    """


def _fact(name: str, kind: str, names: set[str]) -> str:
    column = quoted(name)
    default = _DEFAULTS.get(name)
    value = default or "null"
    if name in names:
        value = f"coalesce({column}, {default})" if default else column
    if kind == "TIMESTAMP" and name in names:
        value = f"timezone('UTC', {value})"
    return f"cast({value} as {kind}) as {column}"
