"""Runs the control store's migrations on the connection that the program hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    render_as_batch=True,  # SQLite changes a column only by copying the table
)
with context.begin_transaction():
    context.run_migrations()
