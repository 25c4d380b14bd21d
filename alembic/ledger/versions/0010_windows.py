"""The completion window of work in the background, which makes its tokens cheaper."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = ("alter table requests add column completion_window varchar",)


def upgrade() -> None:
    """Make it. What was asked before had none."""
    for statement in STATEMENTS:
        op.execute(statement)
