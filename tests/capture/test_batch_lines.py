"""Each line of a batch's output or error file becomes the facts of a record."""

from datetime import datetime, timedelta

import msgspec
import pytest

from monitor.records import Record
from tests.capture.batch_files import CREATED_AT, DOWNLOADED_AT, USAGE, Reading, a_line, chat_body, read_one, refused


def test_a_line_tells_what_its_answer_stated() -> None:
    """Model, usage, outcome and attribution stand in the record, which was charged at batch price."""
    facts = read_one(a_line())

    assert facts.pop("record_id") == facts.pop("call_id")
    assert facts == {
        "attempt": 0,
        "is_batch": True,
        "file_id": "file-1",
        "custom_id": "req-1",
        "request_id": "req_b1",
        "response_id": "chatcmpl-B1",
        "started_at": CREATED_AT,
        "provider_name": "openai",
        "service": "shop",
        "tags": {"a": "b"},
        "operation_name": "chat",
        "endpoint": "/chat/completions",
        "method": "POST",
        "is_billable": True,
        "response_model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "status": 200,
        "finish_reasons": ["stop"],
        "usage_source": "late",
        "input_tokens": 14,
        "output_tokens": 3,
        "cache_read_input_tokens": 4,
    }


def test_facts_make_a_record() -> None:
    """They are fields of a record, of the types that it has."""
    facts = read_one(a_line())

    record = msgspec.json.decode(msgspec.json.encode(facts), type=Record)

    assert record == Record(**facts)
    assert record.duration is None


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (refused({"code": "batch_expired", "message": "…"}), (None, "timeout", "batch_expired", "batch_expired")),
        (refused({"code": "batch_cancelled"}), (None, "cancelled", "batch_cancelled", "batch_cancelled")),
        (refused("went wrong"), (None, "server", "error", None)),
        (
            a_line(status=400, body={"error": {"type": "invalid_request_error", "code": None}}),
            (400, "invalid_request", "invalid_request_error", None),
        ),
        (
            a_line(status=429, body={"error": {"code": "rate_limit_exceeded", "type": "tokens"}}),
            (429, "rate_limit", "tokens", "rate_limit_exceeded"),
        ),
        (a_line(status=500, body="<html>"), (500, "server", "500", None)),
        (
            a_line(body={"object": "response", "status": "failed", "error": {"code": "server_error"}}),
            (200, "server", "server_error", "server_error"),
        ),
    ],
)
def test_errors_are_told_as_of_other_requests(line: str, wanted: tuple[object, ...]) -> None:
    """What was refused, expired or failed is a failed request with its class."""
    facts = read_one(line)

    told = tuple(facts.get(name) for name in ("status", "error_class", "error_type", "error_code"))
    assert (facts["outcome"], *told) == ("failed", *wanted)


@pytest.mark.parametrize(
    ("body", "endpoint", "is_billable"),
    [
        ({"object": "chat.completion"}, "/chat/completions", True),
        ({"object": "response"}, "/responses", True),
        ({"object": "text_completion"}, "/completions", True),
        ({"object": "list", "data": []}, "/embeddings", True),
        ({"object": "video"}, "/videos", True),
        ({"id": "modr-1", "model": "omni-moderation-latest", "results": []}, "/moderations", False),
        ({"created": 1, "data": [{"url": "…"}]}, "/images/generations", True),
        ({"id": "x", "object": "what"}, "/batches", False),
        ({}, "/batches", False),
    ],
)
def test_the_kind_of_answer_names_the_endpoint(body: object, endpoint: str, is_billable: bool) -> None:
    """A line of output does not say where its request went."""
    facts = read_one(a_line(body=body))

    assert (facts["endpoint"], facts["is_billable"]) == (endpoint, is_billable)


def test_a_line_without_answer_went_where_the_others_went() -> None:
    """A batch has one endpoint."""
    reading = Reading("\n".join([a_line("a"), refused({"code": "batch_expired"})]).encode())

    assert [facts["operation_name"] for facts in reading.facts] == ["chat", "chat"]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, CREATED_AT),
        ({"created": None, "created_at": CREATED_AT.timestamp() + 0.5}, CREATED_AT + timedelta(seconds=0.5)),
        ({"created": None}, DOWNLOADED_AT),
        ({"created": 0}, DOWNLOADED_AT),
        ({"created": "yesterday"}, DOWNLOADED_AT),
        ({"created": 1e300}, DOWNLOADED_AT),
        ({"created": float("nan")}, DOWNLOADED_AT),
        ({"created": (DOWNLOADED_AT + timedelta(hours=1)).timestamp()}, DOWNLOADED_AT),
        ({"created": (DOWNLOADED_AT - timedelta(days=61)).timestamp()}, DOWNLOADED_AT),
    ],
)
def test_a_line_happened_when_its_answer_was_made(changes: dict[str, object], wanted: datetime) -> None:
    """Where that moment cannot be true it is the time of the download."""
    assert read_one(a_line(body=chat_body(**changes)))["started_at"] == wanted


@pytest.mark.parametrize("name", [1, 2.5, None, "", {"a": 1}])
def test_each_line_has_a_name(name: object) -> None:
    """Without a usable one of the program's it is the provider's: a repeated download is known by it."""
    reading = Reading((a_line("first") + "\n" + a_line(name)).encode())

    assert reading.facts[1]["custom_id"] == ("1" if name == 1 else "batch_req_S1")


def test_long_names_that_begin_alike_stay_two() -> None:
    """A name that was only cut off would make the second line a repeat of the first."""
    reading = Reading("\n".join(a_line("x" * 400 + end) for end in "ab").encode())

    names = [facts["custom_id"] for facts in reading.facts]
    assert len(set(names)) == 2
    assert max(map(len, names)) <= 256


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (chat_body(usage="n/a"), None),
        (chat_body(usage={"prompt_tokens": -1}), None),
        (chat_body(usage=None), None),
        (chat_body(choices=[None]), 14),
        (chat_body(choices="x"), 14),
        (chat_body(choices=[{"index": "0", "finish_reason": {}}]), 14),
        (chat_body(model=["x"], id={}, service_tier=3, status=[], error="no", object=[]), 14),
        (chat_body(usage=USAGE | {"prompt_tokens": 1e400}), None),
        ("text", None),
        ([], None),
        (7, None),
    ],
)
def test_odd_bodies_cost_only_what_is_odd(body: object, wanted: int | None) -> None:
    """The other parts of the line are still read, and the record can be stored."""
    facts = read_one(a_line(body=body))

    tokens = facts.get("input_tokens")
    assert (tokens if isinstance(tokens, int) and tokens > 0 else None) == wanted
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Record).custom_id == "req-1"


def test_what_the_provider_did_beside_is_told() -> None:
    """Searches, pictures and seconds cost money of their own."""
    searched = {
        "object": "response",
        "status": "completed",
        "tools": [{"type": "web_search"}],
        "output": [{"type": "web_search_call", "action": {"type": "search"}}],
        "usage": {"input_tokens": 5, "output_tokens": 1},
    }
    drawn = {"created": 1, "data": [{"url": "a"}, {"url": "b"}], "size": "1024x1024", "quality": "standard"}
    filmed = {"object": "video", "id": "video_1", "status": "completed", "seconds": "8", "size": "1280x720"}
    asked = chat_body(model="gpt-4o-search-preview-2025-03-11")

    facts = [read_one(a_line(body=body)) for body in (searched, drawn, filmed, asked)]

    assert facts[0]["tool_calls"] == {"web_search": 1}
    assert (facts[1]["image_count"], facts[1]["media_size"]) == (2, "1024x1024")
    assert facts[2]["video_seconds"] == 8
    assert facts[3]["tool_calls"] == {"web_search": 1}
    assert {one["usage_source"] for one in facts} == {"late"}
