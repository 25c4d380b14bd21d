"""What every endpoint tells: units beside tokens, tools, traces; usage that comes late; contents."""

from alembic import op

revision = "0002"
down_revision = "0001"

_COLUMNS = (
    "conversation_id varchar",
    "file_id varchar",
    "custom_id varchar",
    "trace_id varchar",
    "span_id varchar",
    "body_fingerprint varchar",
    "error_reason varchar",
    "answer_status varchar",
    "cache_read_audio_tokens bigint",
    "cache_read_image_tokens bigint",
    "cache_creation_long_tokens bigint",
    "accepted_prediction_tokens bigint",
    "rejected_prediction_tokens bigint",
    "trained_tokens bigint",
    "input_characters bigint",
    "image_count bigint",
    "video_seconds double",
    "media_size varchar",
    "media_quality varchar",
    "tool_calls map(varchar, bigint)",
    "containers varchar[]",
    "container_memory varchar",
    "tool_model varchar",
    "tool_usage map(varchar, bigint)",
)

STATEMENTS = (
    *(f"alter table requests add column {column}" for column in _COLUMNS),
    "alter table usage_hourly add column estimated_list_cost decimal(38, 18)",
    "alter table usage_hourly add column priced_requests bigint default 0",
    "alter table usage_hourly add column measured_requests bigint default 0",
    # How many it were was not kept; that there were some is what matters.
    """
    update usage_hourly set priced_requests = requests where list_cost is not null
    """,
    """
    update usage_hourly set measured_requests = requests where input_tokens is not null or output_tokens is not null
    """,
    """
    create table counted_usages (
        kind varchar not null,
        usage_key varchar not null,
        record_id uuid not null,
        started_at timestamp not null
    )
    """,
    """
    create table contents (
        record_id uuid not null,
        started_at timestamp not null,
        request varchar,
        answer varchar,
        is_cut boolean not null
    )
    """,
)


def upgrade() -> None:
    """Add them; rows that stand know nothing of it."""
    for statement in STATEMENTS:
        op.execute(statement)
