"""Where records come from, requests that were seen twice, and which numbers of a segment are missing."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "alter table requests add column source varchar default 'client'",
    """
    create table sightings (
        record_id uuid not null,
        seen_record_id uuid not null,
        started_at timestamp not null,
        source varchar not null,
        matched_by varchar not null,
        call_id uuid not null,
        request_id varchar,
        response_id varchar,
        provider_name varchar not null,
        service varchar,
        host varchar,
        outcome varchar not null,
        status smallint,
        duration double,
        usage_source varchar not null,
        input_tokens bigint,
        output_tokens bigint,
        segment varchar,
        seq bigint,
        seen_at timestamp not null
    )
    """,
    "alter table checkpoints add column missing bigint[][]",
    "alter table checkpoints add column repeated bigint default 0",
    "alter table checkpoints add column duplicates bigint default 0",
)


def upgrade() -> None:
    """Add them; what stands came from wrapped clients."""
    for statement in STATEMENTS:
        op.execute(statement)
