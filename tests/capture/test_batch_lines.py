"""Each line of a batch's output or error file becomes the facts of a record while the file passes."""

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.capture.batch_lines import BatchLines
from monitor.health import Health
from monitor.records import Record
from tests.capture.world import World, always, opened
from tests.cassettes.material import FOLDER, read_rows
from tests.cassettes.server import Answer

DOWNLOADED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CREATED_AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
BASE = {
    "record_id": "0" * 32,
    "started_at": DOWNLOADED_AT,
    "provider_name": "openai",
    "operation_name": "files",
    "endpoint": "/files/{id}/content",
    "method": "GET",
    "status": 200,
    "service": "shop",
    "team": None,
    "tags": {"a": "b"},
}
_IDS = {"record_id", "call_id"}
USAGE = {"prompt_tokens": 14, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}


def chat_body(**changes: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-B1",
        "object": "chat.completion",
        "created": int(CREATED_AT.timestamp()),
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"content": "Paris.\nIs it?"}, "finish_reason": "stop"}],
        "usage": USAGE,
        "service_tier": "default",
    } | changes


def a_line(name: object = "req-1", body: object = None, *, status: object = 200, error: object = None) -> str:
    response = {"status_code": status, "request_id": "req_b1", "body": chat_body() if body is None else body}
    return json.dumps(
        {"id": "batch_req_S1", "custom_id": name, "response": response, "error": error}, ensure_ascii=False
    )


def refused(error: object) -> str:
    return json.dumps({"id": "batch_req_S2", "custom_id": "req-2", "response": None, "error": error})


class Reading:
    """A file as it was read, piece for piece."""

    def __init__(self, *pieces: bytes, is_whole: bool = True) -> None:
        self.health = Health()
        self.bulks: list[int] = []
        self.facts: list[dict[str, Any]] = []
        self.lines = BatchLines(BASE, "file-1", self._take, self.health)
        for piece in pieces:
            self.lines.feed(piece)
        self.is_over_early = self.lines.is_over
        self.lines.end(is_whole=is_whole)

    def _take(self, facts: Sequence[dict[str, object]]) -> None:
        self.bulks.append(len(facts))
        self.facts.extend(facts)

    @property
    def unreadable(self) -> int:
        return self.health.counts().get("batch_lines_unreadable_total", 0)

    def told(self) -> list[dict[str, Any]]:
        """The facts without the ids that differ each time."""
        return [{name: value for name, value in facts.items() if name not in _IDS} for facts in self.facts]


def read_one(line: str) -> dict[str, Any]:
    reading = Reading(line.encode())
    assert len(reading.facts) == 1, reading.health.counts()
    return reading.facts[0]


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


def cut(content: bytes, places: list[int]) -> list[bytes]:
    order = sorted({0, len(content), *(place % len(content) for place in places)})
    return [content[start:end] for start, end in pairwise(order)]


@settings(deadline=None)
@given(
    places=st.lists(st.integers(min_value=0), max_size=40),
    end=st.sampled_from(["\n", "\r\n"]),
    has_end=st.booleans(),
    blank=st.sampled_from(["", "\n", "\r\n \n"]),
)
def test_cutting_changes_no_record(places: list[int], end: str, has_end: bool, blank: str) -> None:
    """Any cutting and any line end give the same records, and a last line needs no end."""
    lines = [a_line(f"req-{number} é") for number in range(3)]
    content = (blank + (end + blank).join(lines) + (end if has_end else "")).encode()

    reading = Reading(*cut(content, places))

    assert reading.told() == Reading("\n".join(lines).encode()).told()
    assert len(reading.told()) == 3
    assert reading.unreadable == 0


def test_lines_are_handed_on_by_hundreds() -> None:
    """A long file needs few appends, and is not kept."""
    reading = Reading("\n".join(a_line(f"req-{number}") for number in range(1_201)).encode())

    assert reading.bulks == [500, 500, 201]


def test_no_two_lines_have_the_same_id() -> None:
    """Each line is a record of its own."""
    reading = Reading("\n".join(a_line(f"req-{number}") for number in range(600)).encode())

    assert len({facts["record_id"] for facts in reading.facts}) == 600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"%PDF-1.7",
        b"prompt,completion\n1,2\n",
        b'{"prompt":"a","completion":"b"}\n{"prompt":"a","completion":"b"}\n',
        b'{"custom_id":"req-1","method":"POST","url":"/v1/chat/completions","body":{"response":1}}\n',
        b'{"error":{"message":"No such File object","type":"invalid_request_error"}}',
        b'{"custom_id":"a","response"',
        b'["custom_id","response"]\n',
    ],
)
def test_other_files_give_no_record(content: bytes) -> None:
    """Input files, training files, pictures and errors are no output of a batch, and count as no damage."""
    reading = Reading(*(content[place : place + 7] for place in range(0, len(content), 7)), is_whole=False)

    assert (reading.facts, reading.unreadable) == ([], 0)


@pytest.mark.parametrize("start", [b"%PDF-1.7", b'{"prompt":"a"}\n', b'{"x":"' + b"y" * 2**21])
def test_of_another_file_only_the_beginning_is_looked_at(start: bytes) -> None:
    """The rest of a file that is none of a batch costs nothing, and is not held."""
    assert Reading(start, b"z").is_over_early


def test_a_first_line_too_long_to_wait_for_is_known_by_its_names() -> None:
    """Pictures make long lines; they are read when they are whole."""
    body = {
        "created": int(CREATED_AT.timestamp()),
        "data": [{"b64_json": "A" * 3 * 2**20}],
        "usage": {"input_tokens": 5},
    }
    content = a_line(body=body).encode()

    reading = Reading(*(content[place : place + 65_536] for place in range(0, len(content), 65_536)))

    assert [facts["input_tokens"] for facts in reading.facts] == [5]
    assert reading.facts[0]["endpoint"] == "/images/generations"


def test_damaged_lines_are_counted_and_the_others_read() -> None:
    """A line that is no JSON, or none of an output, is no record."""
    reading = Reading("\n".join([a_line("a"), a_line("b")[:-9], '{"custom_id":"c"}', "[]", a_line("d")]).encode())

    assert [facts["custom_id"] for facts in reading.facts] == ["a", "d"]
    assert reading.unreadable == 3


def test_a_download_that_broke_off_gives_its_whole_lines() -> None:
    """The half line at its end is no damage: the file is whole where it lies."""
    reading = Reading((a_line("a") + "\n" + a_line("b")[:50]).encode(), is_whole=False)

    assert [facts["custom_id"] for facts in reading.facts] == ["a"]
    assert reading.unreadable == 0


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


def test_deep_nesting_is_no_harm() -> None:
    """Such a line cannot be read, the next one can."""
    deep = '{"custom_id":"a","response":{"body":{"usage":' + "[" * 200_000 + "]" * 200_000 + "}}}"

    reading = Reading("\n".join([a_line("a"), deep, a_line("b")]).encode())

    assert [facts["custom_id"] for facts in reading.facts] == ["a", "b"]


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


def read_at_once(client: Any) -> bytes:
    return bytes(client.files.content("file-1").read())


def read_raw(client: Any) -> bytes:
    return bytes(client.files.with_raw_response.content("file-1").content)


def read_streaming(client: Any) -> bytes:
    with client.files.with_streaming_response.content("file-1") as response:
        return b"".join(response.iter_bytes(11))


@pytest.mark.parametrize("read", [read_at_once, read_raw, read_streaming])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_every_way_to_download_records_the_lines(world: World, read: Callable[[Any], bytes], encoding: str) -> None:
    """The program gets its file as it is; the spool gets a record for each line beside that of the download."""
    content = (a_line("a") + "\n" + a_line("b") + "\n").encode()
    sent = gzip.compress(content) if encoding == "gzip" else content
    headers = (("content-type", "application/octet-stream"), ("content-encoding", encoding))
    pieces = tuple(sent[place : place + 100] for place in range(0, len(sent), 100))

    with opened(always(Answer(headers=headers, pieces=pieces, is_chunked=True)), world) as client:
        assert read(client) == content

    lines = [line for line in world.ends() if line.get("is_batch")]
    assert [(line["custom_id"], line["file_id"], line["input_tokens"]) for line in lines] == [
        ("a", "file-1", 14),
        ("b", "file-1", 14),
    ]
    assert len(world.ends()) == 3


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded interactions are not in ../shared/data/cassettes")
def test_recorded_files_are_read_as_they_are() -> None:
    """Files that were really downloaded give the model and tokens of each line."""
    rows = [row for row in read_rows() if row.expected.get("batch_lines")]
    names = ("custom_id", "status", "response_model", "input_tokens", "output_tokens", "reasoning_output_tokens")

    for row in rows:
        wanted = [
            tuple(
                line[name]
                for name in ("custom_id", "status_code", "model", "input_tokens", "output_tokens", "reasoning_tokens")
            )
            for line in row.expected["batch_lines"]
        ]
        found = [tuple(facts.get(name) for name in names) for facts in Reading(row.response_body).facts]
        assert found == wanted
    assert len(rows) == 2
