"""The one schema of a request, as it stands on the spool and in the ledger. Frozen values, no I/O."""

from datetime import datetime
from typing import Final

import msgspec

DIMENSIONS: Final = (
    "model",
    "provider_name",
    "operation_name",
    "service_tier",
    "service",
    "environment",
    "team",
    "feature",
    "user",
    "call_site",
    "billing_account_id",
    "sub_account_id",
    "key_fingerprint",
    "error_class",
)
"""What spend can be split and budgets can be scoped by. `model` is the answering model, else the asked one."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one request used up, as the provider reported it.

    Counts are inclusive: cached, audio and image tokens are part of `input_tokens`, reasoning tokens part of
    `output_tokens`. None means not reported, never zero.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    cache_read_image_tokens: int | None = None
    cache_creation_long_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    trained_tokens: int | None = None
    input_characters: int | None = None
    image_count: int | None = None
    audio_seconds: float | None = None
    video_seconds: float | None = None


class Begin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Says that a request is about to leave; without its `Record` the outcome is unknown."""

    record_id: str
    call_id: str
    attempt: int
    started_at: datetime
    provider_name: str
    operation_name: str
    endpoint: str
    request_model: str | None = None
    is_billable: bool = False
    service: str | None = None
    environment: str | None = None
    team: str | None = None
    feature: str | None = None
    user: str | None = None
    call_site: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The unchangeable fact of one request (one HTTP exchange). None means not known.

    `docs/data-model.md` tells for each field its unit and where it comes from.
    """

    # identity
    record_id: str
    call_id: str
    attempt: int
    request_id: str | None = None
    response_id: str | None = None
    conversation_id: str | None = None
    file_id: str | None = None
    custom_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    body_fingerprint: str | None = None
    # time
    started_at: datetime
    duration: float | None = None
    time_to_first_chunk: float | None = None
    server_duration: float | None = None
    # what
    provider_name: str
    region: str | None = None
    operation_name: str
    endpoint: str
    method: str = "POST"
    request_model: str | None = None
    response_model: str | None = None
    request_service_tier: str | None = None
    service_tier: str | None = None
    completion_window: str | None = None
    is_streaming: bool = False
    is_batch: bool = False
    is_billable: bool = False
    # outcome
    outcome: str = "completed"
    status: int | None = None
    error_class: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    error_reason: str | None = None
    answer_status: str | None = None
    finish_reasons: list[str] | None = None
    # usage
    usage_source: str = "none"
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    cache_read_image_tokens: int | None = None
    cache_creation_long_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    trained_tokens: int | None = None
    input_characters: int | None = None
    image_count: int | None = None
    audio_seconds: float | None = None
    video_seconds: float | None = None
    media_size: str | None = None
    media_quality: str | None = None
    tool_calls: dict[str, int] | None = None
    containers: list[str] | None = None
    container_memory: str | None = None
    tool_model: str | None = None
    tool_usage: dict[str, int] | None = None
    stored_bytes: dict[str, int] | None = None
    stored_until: dict[str, int] | None = None
    # attribution
    service: str | None = None
    environment: str | None = None
    host: str | None = None
    process_id: int | None = None
    billing_account_id: str | None = None
    sub_account_id: str | None = None
    key_fingerprint: str | None = None
    key_hint: str | None = None
    team: str | None = None
    feature: str | None = None
    user: str | None = None
    session: str | None = None
    call_site: str | None = None
    call_function: str | None = None
    tags: dict[str, str] | None = None
    sdk_version: str | None = None
    source: str = "client"
    # rate limits
    requests_limit: int | None = None
    requests_remaining: int | None = None
    requests_reset: float | None = None
    tokens_limit: int | None = None
    tokens_remaining: int | None = None
    tokens_reset: float | None = None
    retry_after: float | None = None
    other_limits: dict[str, float] | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked and answered in one request, redacted; kept only where a program said so."""

    record_id: str
    started_at: datetime
    request: str | None = None
    answer: str | None = None
    is_cut: bool = False


LAST_SECOND: Final = 253_370_764_799
"""The end of the year 9998, in seconds since 1970: what is later is no moment."""

UNREADABLE: Final = "parse"
"""The `error_class` of an answer that came and that nobody can read: it was made, so it may have cost money."""

OUTCOMES: Final = ("completed", "failed", "interrupted", "unknown")
"""completed: a whole answer came; failed: an error came or nothing did; interrupted: a stream was left or broke
before its end; unknown: the process died while the request was out."""

USAGE_SOURCES: Final = ("response", "repeated", "late", "estimated", "imported", "none")
"""response: the answer stated it; repeated: the answer states again what an earlier request used, so it counts
nowhere; late: the answer states what work used that an earlier request began, and the drain decides where it counts,
so no row of the ledger keeps this word; estimated: computed here; imported: from foreign material; none: nothing
said."""

UNFINISHED: Final = (
    "queued",
    "waiting",
    "pending",
    "validating",
    "validating_files",
    "in_progress",
    "running",
    "requires_action",
    "pausing",
    "paused",
    "finalizing",
    "cancelling",
)
"""Values of `answer_status` of work that has not come to its end: what it uses may still be told."""

REDIRECTS: Final = range(300, 400)
"""Statuses of an answer that only says where to ask: nothing was done for it, so it cannot have cost anything."""

CLIENT: Final = "client"
IMPORT: Final = "import"
SOURCES: Final = (CLIENT, "gateway", "otlp", "http", IMPORT)
"""Where a record comes from, the nearest to the program first: a wrapped client, a gateway that it went through, a
trace, a program by itself, foreign material. They can tell of the same call."""

TAG_COLUMNS: Final = ("team", "feature", "user", "session")
"""Tags that have a column of their own; all others stand in `tags`."""
