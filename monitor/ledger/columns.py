"""The columns of the spool lines and of the ledger, as data: one place for names and SQL types."""

from typing import Final

MONEY: Final = "DECIMAL(38,18)"
UNIT_PRICE: Final = "DECIMAL(24,18)"

RECORD_COLUMNS: Final = {
    "record_id": "UUID",
    "call_id": "UUID",
    "attempt": "SMALLINT",
    "request_id": "VARCHAR",
    "response_id": "VARCHAR",
    "conversation_id": "VARCHAR",
    "file_id": "VARCHAR",
    "custom_id": "VARCHAR",
    "trace_id": "VARCHAR",
    "span_id": "VARCHAR",
    "body_fingerprint": "VARCHAR",
    "started_at": "TIMESTAMP",
    "duration": "DOUBLE",
    "time_to_first_chunk": "DOUBLE",
    "server_duration": "DOUBLE",
    "provider_name": "VARCHAR",
    "region": "VARCHAR",
    "operation_name": "VARCHAR",
    "endpoint": "VARCHAR",
    "method": "VARCHAR",
    "request_model": "VARCHAR",
    "response_model": "VARCHAR",
    "request_service_tier": "VARCHAR",
    "service_tier": "VARCHAR",
    "completion_window": "VARCHAR",
    "is_streaming": "BOOLEAN",
    "is_batch": "BOOLEAN",
    "is_billable": "BOOLEAN",
    "outcome": "VARCHAR",
    "status": "SMALLINT",
    "error_class": "VARCHAR",
    "error_type": "VARCHAR",
    "error_code": "VARCHAR",
    "error_reason": "VARCHAR",
    "answer_status": "VARCHAR",
    "finish_reasons": "VARCHAR[]",
    "usage_source": "VARCHAR",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "cache_read_input_tokens": "BIGINT",
    "cache_creation_input_tokens": "BIGINT",
    "reasoning_output_tokens": "BIGINT",
    "input_audio_tokens": "BIGINT",
    "output_audio_tokens": "BIGINT",
    "input_image_tokens": "BIGINT",
    "output_image_tokens": "BIGINT",
    "cache_read_audio_tokens": "BIGINT",
    "cache_read_image_tokens": "BIGINT",
    "cache_creation_long_tokens": "BIGINT",
    "accepted_prediction_tokens": "BIGINT",
    "rejected_prediction_tokens": "BIGINT",
    "trained_tokens": "BIGINT",
    "input_characters": "BIGINT",
    "image_count": "BIGINT",
    "audio_seconds": "DOUBLE",
    "video_seconds": "DOUBLE",
    "media_size": "VARCHAR",
    "media_quality": "VARCHAR",
    "tool_calls": "MAP(VARCHAR, BIGINT)",
    "containers": "VARCHAR[]",
    "container_memory": "VARCHAR",
    "tool_model": "VARCHAR",
    "tool_usage": "MAP(VARCHAR, BIGINT)",
    "stored_bytes": "MAP(VARCHAR, BIGINT)",
    "stored_until": "MAP(VARCHAR, BIGINT)",
    "service": "VARCHAR",
    "environment": "VARCHAR",
    "host": "VARCHAR",
    "process_id": "INTEGER",
    "billing_account_id": "VARCHAR",
    "sub_account_id": "VARCHAR",
    "key_fingerprint": "VARCHAR",
    "key_hint": "VARCHAR",
    "team": "VARCHAR",
    "feature": "VARCHAR",
    "user": "VARCHAR",
    "session": "VARCHAR",
    "call_site": "VARCHAR",
    "call_function": "VARCHAR",
    "tags": "MAP(VARCHAR, VARCHAR)",
    "sdk_version": "VARCHAR",
    "source": "VARCHAR",
    "requests_limit": "BIGINT",
    "requests_remaining": "BIGINT",
    "requests_reset": "DOUBLE",
    "tokens_limit": "BIGINT",
    "tokens_remaining": "BIGINT",
    "tokens_reset": "DOUBLE",
    "retry_after": "DOUBLE",
    "other_limits": "MAP(VARCHAR, DOUBLE)",
}
"""Every field of a `Record`; a test holds the two together."""

COMPUTED_FACTS: Final = {"container_sessions": "MAP(VARCHAR, BIGINT)"}
"""What the drain finds out beside, before it prices: no record has it, all of them together tell it."""

DEFAULTS: Final = {
    "method": "'POST'",
    "is_streaming": "false",
    "is_batch": "false",
    "is_billable": "false",
    "outcome": "'completed'",
    "usage_source": "'none'",
    "source": "'client'",
}
"""SQL of the values that a record leaves out of its line because they are the usual ones."""

COST_COLUMNS: Final = (
    "list_cost",
    "list_input_cost",
    "list_cache_read_cost",
    "list_cache_creation_cost",
    "list_output_cost",
    "list_audio_cost",
    "list_image_cost",
    "list_tools_cost",
    "list_other_cost",
)
"""What the drain computes, in USD; null where nothing is priced."""

CONTRACTED_COLUMNS: Final = tuple(name.replace("list_", "contracted_") for name in COST_COLUMNS)
"""The same at the user's discount; null where none holds: then the list cost is what is paid."""

BEGIN_COLUMNS: Final = (
    "record_id",
    "call_id",
    "attempt",
    "started_at",
    "provider_name",
    "operation_name",
    "endpoint",
    "request_model",
    "is_billable",
    "service",
    "environment",
    "team",
    "feature",
    "user",
    "call_site",
)
"""Every field of a `Begin`."""


def quoted(name: str) -> str:
    """The name as an SQL identifier; `user` is a word of SQL."""
    return f'"{name}"'
