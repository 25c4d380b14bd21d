"""Runs the ledger's migrations on the connection that the program hands over."""

from alembic import context
from alembic.ddl.impl import DefaultImpl


class DuckDBImpl(DefaultImpl):
    """Tells Alembic that the DuckDB dialect behaves like the standard."""

    __dialect__ = "duckdb"


context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
