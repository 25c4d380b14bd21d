"""Records, begin lines and usage for tests, each with values that a test need not care about."""

import itertools
import os
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.records import Begin, Record, Usage

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def make_id() -> str:
    """An id that no other record has; ids of later ones of a process are greater."""
    return f"0190a0000000{os.getpid():08x}{next(_numbers):012x}"


def make_usage(
    *, input_tokens: int | None = 1_000, output_tokens: int | None = 100, **parts: int | float | None
) -> Usage:
    fields: dict[str, Any] = dict(parts)
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens, **fields)


def make_record(*, usage: Usage | None = None, **changes: Any) -> Record:
    """A good answer of gpt-4o; what is given wins."""
    record_id = make_id()
    record = Record(
        record_id=record_id,
        call_id=record_id,
        attempt=0,
        started_at=NOW,
        duration=1.5,
        provider_name="openai",
        operation_name="chat",
        endpoint="/chat/completions",
        request_model="gpt-4o",
        response_model="gpt-4o-2024-08-06",
        is_billable=True,
        status=200,
        usage_source="response",
        service="shop",
    )
    return msgspec.structs.replace(record, **msgspec.structs.asdict(usage or make_usage()), **changes)


def make_failure(**changes: Any) -> Record:
    """A request that was refused, so that nothing was used."""
    refusal: dict[str, Any] = {
        "outcome": "failed",
        "status": 429,
        "error_class": "rate_limit",
        "response_model": None,
        "usage_source": "none",
    }
    return make_record(usage=Usage(), **(refusal | changes))


def make_begin(record: Record | None = None, **changes: Any) -> Begin:
    """The begin line of a record, else of one that never came."""
    source = record or make_record()
    begin = Begin(**{name: getattr(source, name) for name in Begin.__struct_fields__})
    return msgspec.structs.replace(begin, **changes)
