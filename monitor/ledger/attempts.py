"""The digest of attempts: the requests that failed or were tried again, with what is asked about them."""

from typing import Final

from monitor.records import DIMENSIONS

HAS_FAILED: Final = "outcome <> 'completed'"

IS_ATTEMPT: Final = f"(attempt > 0 or {HAS_FAILED})"
"""A first request that was answered is not followed by another."""

ATTEMPT_COLUMNS: Final = tuple(
    dict.fromkeys(
        (
            "call_id",
            "attempt",
            "started_at",
            "duration",
            "outcome",
            "error_class",
            "error_reason",
            "service",
            "call_site",
            "endpoint",
            "model",
            "pricing_state",
            "input_tokens",
            "output_tokens",
            "list_cost",
            *DIMENSIONS,
        )
    )
)
