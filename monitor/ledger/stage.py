"""The records of a load as `stage`, shaped like the lines of the spool with all facts of the record.

On the good path `stage` is a view over what was read, and `priced` one over that and what was computed of it: nothing
is copied or joined. Where rows are to be changed before they are stored `stage` becomes a table.
"""

from typing import Final

import duckdb
import pyarrow as pa

from monitor.ledger.columns import BEGIN_COLUMNS, DEFAULTS, RECORD_COLUMNS, quoted

ONCE: Final = "priced_once"
"""A view like `priced` that can be read a single time, but by all cores without waiting for each other."""

# The only request of a call does without the call's id on the spool.
_DEFAULTS: Final = {**DEFAULTS, "call_id": "record_id"}
_MODEL_PARTS: Final = ("response_model", "request_model")


def stage(cursor: duckdb.DuckDBPyConnection, ends: pa.Table) -> None:
    """Make the view `stage` of a load's records; it lives as long as the cursor."""
    cursor.register("ends", ends)
    facts = _facts(set(ends.column_names))
    cursor.execute(
        f"create temp view stage as select 'end' as kind, line_number, segment, seq, {', '.join(facts)} from ends"
    )


def stage_priced(cursor: duckdb.DuckDBPyConnection, ends: pa.Table, computed: pa.Table) -> bool:
    """Make the views `priced` and `ONCE`, shaped like `requests`, unless something is computed of other rows.

    Args:
        cursor: that has `stage`, unchanged.
        ends: the load's records.
        computed: what was computed of them, and of which by their `line_number`.
    """
    places = ends["line_number"]
    # Joins promise no order.
    if not computed["line_number"].equals(places):
        computed = computed.sort_by("line_number")
    if not computed["line_number"].equals(places):
        return False
    names = [name for name in computed.column_names if name != "line_number"]
    whole = ends
    for name in names:
        whole = whole.append_column(name, computed[name])
    columns = ", ".join((*_facts(set(ends.column_names)), *map(quoted, names)))
    for view, source in (("priced", whole), (ONCE, whole.to_reader())):
        cursor.register(f"of_{view}", source)
        cursor.execute(f"create temp view {view} as select {columns} from of_{view}")
    return True


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


def _facts(names: set[str]) -> list[str]:
    """SQL of all facts of a record, and of its model."""
    model = ", ".join([name for name in _MODEL_PARTS if name in names]) or "null"
    facts = (_fact(name, kind, names) for name, kind in RECORD_COLUMNS.items())
    return [*facts, f"cast(coalesce({model}) as varchar) as model"]


def _fact(name: str, kind: str, names: set[str]) -> str:
    column = quoted(name)
    default = _DEFAULTS.get(name)
    value = default or "null"
    if name in names:
        value = f"coalesce({column}, {default})" if default else column
    return f"cast({value} as {kind}) as {column}"
