"""What a record says, its row says; a value that cannot be read costs only itself."""

from datetime import UTC
from typing import Any
from uuid import UUID

import msgspec

from monitor.ledger.request_queries import page_of_requests
from tests.factories import make_record, make_usage
from tests.ledger.drained import REQUIRED
from tests.world import ALWAYS, World, fields_of, line_of


def test_all_fields_arrive(world: World) -> None:
    """What a record says, its row says."""
    usage = make_usage(
        cache_read_input_tokens=1,
        cache_creation_input_tokens=2,
        reasoning_output_tokens=3,
        input_audio_tokens=4,
        output_audio_tokens=5,
        input_image_tokens=6,
        output_image_tokens=7,
        audio_seconds=8.5,
        cache_read_audio_tokens=9,
        cache_read_image_tokens=10,
        cache_creation_long_tokens=11,
        accepted_prediction_tokens=12,
        rejected_prediction_tokens=13,
        trained_tokens=14,
        input_characters=15,
        image_count=16,
        video_seconds=17.5,
    )
    facts: dict[str, Any] = {
        "attempt": 2,
        "request_id": "req_1",
        "response_id": "resp_1",
        "conversation_id": "conv_1",
        "file_id": "file-1",
        "custom_id": "line-1",
        "region": "eu",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "body_fingerprint": "fedcba9876543210",
        "time_to_first_chunk": 0.25,
        "server_duration": 0.125,
        "method": "GET",
        "request_service_tier": "auto",
        "service_tier": "default",
        "completion_window": "8h",
        "is_streaming": True,
        "is_batch": True,
        "outcome": "interrupted",
        "error_class": "timeout",
        "error_type": "ReadTimeout",
        "error_code": "code",
        "error_reason": "read",
        "answer_status": "incomplete",
        "finish_reasons": ["stop", "length"],
        "media_size": "1024x1024",
        "media_quality": "high",
        "tool_calls": {"web_search": 2},
        "containers": ["cntr_1"],
        "container_memory": "4g",
        "tool_model": "gpt-image-1",
        "tool_usage": {"input_tokens": 60},
        "stored_bytes": {"vs_1": 1_024},
        "stored_until": {"vs_1": 1_795_773_600},
        "environment": "production",
        "host": "host",
        "process_id": 4711,
        "billing_account_id": "org-1",
        "sub_account_id": "proj_1",
        "key_fingerprint": "0123456789abcdef",
        "key_hint": "abcd",
        "team": "search",
        "feature": "ranking",
        "user": 'zoë \x00 "\\ \N{GRINNING FACE}',
        "session": "s",
        "call_site": "app.py:7",
        "call_function": "main",
        "tags": {"a": "b", "c": ""},
        "sdk_version": "3.1.0",
        "requests_limit": 10,
        "requests_remaining": 9,
        "requests_reset": 0.5,
        "tokens_limit": 1_000,
        "tokens_remaining": 900,
        "tokens_reset": 1.5,
        "retry_after": 2.5,
        "other_limits": {"limit-input-images": 5.0},
    }
    record = make_record(usage=usage, **facts)
    world.store(record)
    stored = world.one(record)
    row = {name: value.hex if isinstance(value, UUID) else value for name, value in stored.items()}
    row["started_at"] = stored["started_at"].replace(tzinfo=UTC)
    sent = msgspec.structs.asdict(record)

    assert {name: row[name] for name in sent} == sent
    assert None not in sent.values()


def test_what_a_record_leaves_out_is_null_or_usual(world: World) -> None:
    """Unknown is null, a method that is not named is POST, and a call that is not named has this request only."""
    world.forge(line_of({name: fields_of(make_record())[name] for name in REQUIRED}))
    world.drain.run()
    (row,) = page_of_requests(world.ledger, ALWAYS, limit=1).requests
    stated = {name for name, value in row.items() if value is not None}

    assert stated == {
        *REQUIRED,
        "call_id",
        "source",
        "method",
        "is_streaming",
        "is_batch",
        "is_billable",
        "outcome",
        "usage_source",
        "pricing_state",
    }
    assert row["call_id"] == row["record_id"]
    assert (row["method"], row["outcome"], row["usage_source"], row["pricing_state"]) == (
        "POST",
        "completed",
        "none",
        "free",
    )


_ODD_VALUES: list[tuple[str, object, object]] = [
    ("status", "x", None),
    ("status", 99_999, None),
    ("status", "200", 200),
    ("input_tokens", "many", None),
    ("input_tokens", 10**18, None),
    ("input_tokens", -(2**63), None),
    ("input_tokens", -5, -5),
    ("audio_seconds", 1e300, None),
    ("audio_seconds", "nan", None),
    ("duration", "inf", None),
    ("duration", "nan", None),
    ("duration", {}, None),
    ("is_streaming", "perhaps", False),
    ("tags", ["a"], None),
    ("tags", {"a": 1}, {"a": "1"}),
    ("finish_reasons", "stop", None),
    ("user", 7, "7"),
    ("unheard_of", 7, KeyError),
]


def test_a_value_of_another_type_is_read_if_it_can_be_else_unknown(world: World) -> None:
    """One odd value costs nobody the record."""
    records = [make_record() for _ in _ODD_VALUES]
    pairs = list(zip(records, _ODD_VALUES, strict=True))
    world.forge(*(line_of(fields_of(record) | {name: value}) for record, (name, value, _) in pairs))
    world.drain.run()
    stored = [(name, value, world.one(record).get(name, KeyError)) for record, (name, value, _) in pairs]

    assert stored == _ODD_VALUES
