"""What was let go of because it was too old, and what left the quarantine."""

from alembic import op

revision = "0006"
down_revision = "0004"

STATEMENTS = (
    """
    create table forgotten (
        kind varchar not null,
        before timestamp not null,
        number bigint not null,
        done_at timestamp not null
    )
    """,
    """
    create table retried (
        segment varchar not null,
        file varchar not null,
        byte_offset bigint,
        reason varchar not null,
        line varchar not null,
        seen_at timestamp not null,
        retried_at timestamp not null,
        retried_segment varchar not null
    )
    """,
)


def upgrade() -> None:
    """Add them; nothing was let go of yet."""
    for statement in STATEMENTS:
        op.execute(statement)
