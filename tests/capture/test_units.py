"""What requests and answers of each family of endpoints tell beside model and tokens."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.bodies import MediaRequest, RequestBody, read_answer, read_request
from monitor.capture.endpoint_rows import ROWS
from monitor.capture.endpoints import Endpoint, endpoint_of
from monitor.capture.unit_readers import Answer
from monitor.capture.units import answer_parts, answer_units, request_units, searches_of
from monitor.records import Record

Facts = dict[str, Any]


def _endpoint(place: str) -> Endpoint:
    method, path = place.split(" ")
    return endpoint_of(method, path)


def _answer(place: str, content: object, facts: Facts | None = None, model: str | None = None) -> Answer:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(_endpoint(place), read_answer(raw), raw, {"status": 200, **(facts or {})}, model)


def _told(place: str, content: object, facts: Facts | None = None, model: str | None = "m") -> Facts:
    return answer_units(_answer(place, content, facts, model))


def _asked(place: str, body: object) -> Facts:
    content = json.dumps(body).encode()
    return request_units(_endpoint(place), read_request(content) or RequestBody(), content)


@pytest.mark.parametrize(
    ("place", "body", "units"),
    [
        ("POST /audio/speech", {"input": "Hëllo \U0001f5fc"}, {"input_characters": 7}),
        ("POST /audio/speech", {"input": ["Hello"]}, {}),
        ("POST /audio/speech", {}, {}),
        ("POST /images/generations", {"size": "1024x1792", "quality": "hd", "n": 2}, ("1024x1792", "hd")),
        ("POST /images/generations", {"size": {}, "quality": None}, {}),
        ("POST /videos", {"seconds": "8", "size": "720x1280"}, {"video_seconds": 8.0, "media_size": "720x1280"}),
        ("POST /videos", {"seconds": 4}, {"video_seconds": 4.0}),
        ("POST /responses", {"conversation": "conv_1"}, {"conversation_id": "conv_1"}),
        ("POST /responses", {"conversation": {"id": "conv_1"}}, {"conversation_id": "conv_1"}),
        ("POST /responses", {"conversation": None, "input": "hi"}, {}),
        ("POST /responses", {"conversation": [1]}, {}),
        ("POST /batches", {"input_file_id": "file-1"}, {}),
    ],
)
def test_a_request_tells_its_units(place: str, body: object, units: object) -> None:
    """What is charged by what was asked for is read from the request."""
    expected = dict(zip(("media_size", "media_quality"), units, strict=True)) if isinstance(units, tuple) else units

    assert _asked(place, body) == expected


def test_a_form_tells_its_units() -> None:
    """The fields of a form are text; they are read like those of a JSON body."""
    form = MediaRequest(size="512x512", quality="high", seconds="12")

    assert request_units(_endpoint("POST /images/edits"), form, None) == {
        "media_size": "512x512",
        "media_quality": "high",
    }
    assert request_units(_endpoint("POST /videos/extensions"), form, None) == {
        "video_seconds": 12.0,
        "media_size": "512x512",
    }


def test_speech_counts_its_characters() -> None:
    """A sound states no usage: then the characters count, and only once a good answer has come."""
    facts = {"input_characters": 7}

    assert _told("POST /audio/speech", b"", facts) == {"usage_source": "response"}
    assert _told("POST /audio/speech", b"ID3\x00", facts) == {"usage_source": "response"}
    assert _told("POST /audio/speech", b"", {**facts, "status": 429}) == {}
    assert _told("POST /audio/speech", {"type": "speech.audio.delta"}, facts) == {}
    assert _told("POST /audio/speech", b"") == {}


_PICTURES = {"created": 1, "data": [{"b64_json": "iVBO"}, {"url": "https://example.com/1.png"}]}


@pytest.mark.parametrize(
    ("content", "facts", "model", "units"),
    [
        (
            _PICTURES,
            {},
            None,
            {
                "request_model": "dall-e-2",
                "image_count": 2,
                "media_size": "1024x1024",
                "media_quality": "standard",
                "usage_source": "response",
            },
        ),
        (
            _PICTURES,
            {"media_size": "1792x1024", "media_quality": "auto"},
            "dall-e-3",
            {"image_count": 2, "media_quality": "standard", "usage_source": "response"},
        ),
        (
            {**_PICTURES, "size": "1536x1024", "quality": "low"},
            {"input_tokens": 5, "output_tokens": 7, "media_size": "auto"},
            None,
            {"image_count": 2, "media_size": "1536x1024", "media_quality": "low", "output_image_tokens": 7},
        ),
        (_PICTURES, {"input_tokens": 5, "output_tokens": 7, "output_image_tokens": 6}, "m", {"image_count": 2}),
        (
            {
                **_PICTURES,
                "svg_usage": {"model": "gpt-6", "input_tokens": 3, "output_tokens": 9, "reasoning_tokens": 2},
            },
            {"input_tokens": 5},
            "m",
            {
                "image_count": 2,
                "tool_model": "gpt-6",
                "tool_usage": {"input_tokens": 3, "output_tokens": 9, "reasoning_output_tokens": 2},
            },
        ),
        ({"data": []}, {}, None, {}),
        ({"data": "none"}, {}, None, {}),
        ({"data": [], "usage": "x"}, {}, None, {}),
        ({"type": "image_generation.partial_image", "b64_json": "iVBO", "size": "1x1"}, {}, "m", {}),
        (
            {"type": "image_generation.completed", "b64_json": "iVBO", "size": "1024x1024", "quality": "high"},
            {"input_tokens": 50, "output_tokens": 7124},
            "m",
            {"image_count": 1, "media_size": "1024x1024", "media_quality": "high", "output_image_tokens": 7124},
        ),
        (b"<html>", {}, None, {}),
        (_PICTURES, {"status": 400}, None, {}),
    ],
)
def test_pictures_are_counted(content: object, facts: Facts, model: str | None, units: Facts) -> None:
    """Pictures count by number where no tokens are stated; then what the request left open is what the API says."""
    assert _told("POST /images/generations", content, facts, model) == units


_SRT = b"1\n00:00:00,000 --> 00:00:08,470\nHello.\n\n2\n01:00:08,470 --> 01:02:03,004\nBye.\n"
_VTT = b"WEBVTT\n\n00:00.000 --> 00:08.470\nHello.\n\n00:08.470 --> 01:02.500 align:start\nBye.\n"


@pytest.mark.parametrize(
    ("content", "facts", "units"),
    [
        ({"text": "Hello.", "duration": 8.47}, {}, {"audio_seconds": 8.47, "usage_source": "response"}),
        ({"text": "Hello.", "duration": "8.47"}, {}, {"audio_seconds": 8.47, "usage_source": "response"}),
        ({"text": "Hello.", "duration": "long"}, {}, {}),
        ({"text": "Hello."}, {}, {}),
        ({"text": "Hello.", "duration": 8.47}, {"audio_seconds": 9.0}, {}),
        ({"text": "Hello.", "duration": 8.47}, {"input_tokens": 9}, {}),
        (_SRT, {}, {"audio_seconds": 3723.004, "usage_source": "estimated"}),
        (_VTT, {}, {"audio_seconds": 62.5, "usage_source": "estimated"}),
        (b"Hello.\n", {}, {}),
        (b"", {}, {}),
        (_SRT, {"status": 500}, {}),
    ],
)
def test_the_length_of_a_sound_is_found(content: object, facts: Facts, units: Facts) -> None:
    """Stated usage wins, then the stated length; the end of the last subtitle is an estimate."""
    assert _told("POST /audio/transcriptions", content, facts) == units


_VIDEO = {"id": "video_1", "seconds": "8", "size": "720x1280"}


@pytest.mark.parametrize(
    ("place", "status", "facts", "units"),
    [
        ("POST /videos", "queued", {}, {"video_seconds": 8.0}),
        ("POST /videos", "completed", {}, {"video_seconds": 8.0, "usage_source": "response"}),
        ("POST /videos/extensions", "queued", {"video_seconds": 4.0}, {}),
        ("GET /videos/v", "in_progress", {}, {"video_seconds": 8.0}),
        ("GET /videos/v", "completed", {}, {"video_seconds": 8.0, "usage_source": "late"}),
        ("GET /videos/v", "failed", {}, {}),
    ],
)
def test_a_video_counts_when_it_is_made(place: str, status: str, facts: Facts, units: Facts) -> None:
    """A video that is waited for has a length, and no usage yet; one that failed never has."""
    told = _told(place, {**_VIDEO, "status": status}, facts)

    assert told == {"answer_status": status, "media_size": "720x1280", **units}


def _response(*output: object, tools: object = None, **fields: object) -> Facts:
    return {
        "id": "resp_1",
        "status": "completed",
        "output": list(output),
        "tools": [{"type": "web_search"}] if tools is None else tools,
        **fields,
    }


def _search(action: object) -> Facts:
    return {"type": "web_search_call", "action": action}


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        (_response(_search({"type": "search"}), _search({"type": "open_page"})), {"web_search": 1}),
        (_response(_search({"type": "find_in_page"})), None),
        (_response({"type": "web_search_call"}, _search("x"), _search({})), {"web_search": 3}),
        (_response(_search({"type": "search"}), tool_usage={"web_search": {"num_requests": 4}}), {"web_search": 4}),
        (_response(_search({"type": "search"}), tool_usage={"web_search": {"num_requests": 0}}), None),
        (_response(_search({"type": "search"}), tool_usage={"web_search": {"num_requests": "?"}}), {"web_search": 1}),
        (_response(_search({"type": "search"}), tool_usage="x"), {"web_search": 1}),
        (
            _response(_search({"type": "search"}), tools=[{"type": "web_search_preview_2025_03_11"}]),
            {"web_search_preview": 1},
        ),
        (
            _response(_search({"type": "search"}), tools=[{"type": "web_search"}, {"type": "web_search_preview"}]),
            {"web_search": 1},
        ),
        (
            _response(
                *({"type": f"{tool}_call"} for tool in ("file_search", "file_search", "image_generation", "computer")),
                {"type": "mcp_call"},
                {"type": "function_call"},
                {"type": "local_shell_call"},
                {"type": "shell_call", "environment": {"type": "local"}},
                {"type": "shell_call", "environment": None},
                tools=[{"type": "file_search"}],
            ),
            {"file_search": 2, "image_generation": 1, "computer": 1, "mcp": 1, "shell": 1},
        ),
        (_response({"type": "function_call"}, tools=[{"type": "function", "parameters": {}}]), None),
        (_response({"type": "file_search_call"}, 17, None, ["x"], {"type": ["x"]}, {"type": "new_call"}), (1,)),
        (_response(_search({"type": "search"}), tools="x"), None),
        (_response(_search({"type": "search"}), tools=[17, None]), None),
    ],
)
def test_calls_of_the_providers_tools_are_counted(body: object, calls: object) -> None:
    """What costs by the call is counted; what the program runs itself, and pages that are opened, are not."""
    expected = {"file_search": 1} if isinstance(calls, tuple) else calls

    assert _told("POST /responses", body).get("tool_calls") == expected


@pytest.mark.parametrize(
    ("tools", "memory"),
    [
        ([{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}], "4g"),
        ([{"type": "code_interpreter", "container": {"type": "auto"}}], "1g"),
        ([{"type": "code_interpreter", "container": "cntr_1"}], None),
        ([{"type": "shell", "environment": {"type": "container_auto", "memory_limit": "16g"}}], "16g"),
        ([{"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_1"}}], None),
    ],
)
def test_containers_are_named_once(tools: object, memory: str | None) -> None:
    """Each container is named once, with the memory that was asked for it, and no other than what is known."""
    body = _response(
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": None},
        {"type": "shell_call", "environment": {"type": "container_reference", "container_id": "cntr_2"}},
        tools=tools,
    )

    told = _told("POST /responses", body)

    assert told["containers"] == ["cntr_1", "cntr_2"]
    assert told.get("container_memory") == memory


def test_the_model_that_draws_has_tokens_of_its_own() -> None:
    """They are no part of the response's usage; what is not split is pictures."""
    usage = {"input_tokens": 60, "output_tokens": 4160, "cached_tokens": 20}
    usage["cached_tokens_details"] = {"cached_text_tokens": 15, "cached_image_tokens": 5}  # type: ignore[assignment]
    tools = [{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-2"}]

    told = _told("POST /responses", _response(tools=tools, tool_usage={"image_gen": usage}))

    assert told == {
        "answer_status": "completed",
        "tool_model": "gpt-image-2",
        "tool_usage": {
            "input_tokens": 60,
            "output_tokens": 4160,
            "output_image_tokens": 4160,
            "cache_read_input_tokens": 20,
            "cache_read_image_tokens": 5,
        },
    }


def test_tools_that_were_not_used_say_nothing() -> None:
    """Newer answers state zeros for every tool."""
    unused = {"image_gen": {"input_tokens": 0, "output_tokens": 0}, "web_search": {"num_requests": 0}}

    assert _told("POST /responses", _response(tool_usage=unused)) == {"answer_status": "completed"}


@pytest.mark.parametrize(
    ("status", "background", "told"),
    [
        ("completed", False, "completed"),
        ("incomplete", None, "incomplete"),
        ("in_progress", True, "in_progress"),
        ("in_progress", False, None),
        ("queued", None, None),
        ([], True, None),
        (None, None, None),
    ],
)
def test_only_work_in_the_background_is_pending(status: object, background: object, told: str | None) -> None:
    """A stream begins in progress; when it is cut short, nobody goes on with it."""
    body = {"id": "resp_1", "status": status, "background": background}

    assert _told("POST /responses", body).get("answer_status") == told


@pytest.mark.parametrize(
    ("place", "body", "units"),
    [
        ("POST /batches", {"status": "validating"}, {"answer_status": "validating", "is_batch": True}),
        (
            "GET /batches/b",
            {"status": "expired", "output_file_id": "file-2"},
            {"answer_status": "expired", "is_batch": True, "file_id": "file-2"},
        ),
        ("POST /fine_tuning/jobs", {"status": "queued", "trained_tokens": None}, {"answer_status": "queued"}),
        ("GET /fine_tuning/jobs/j", {"status": "running", "trained_tokens": 5}, {"answer_status": "running"}),
        ("GET /fine_tuning/jobs/j", {"status": "failed", "trained_tokens": 5}, {"answer_status": "failed"}),
        (
            "POST /fine_tuning/jobs/j/cancel",
            {"status": "cancelled", "trained_tokens": 5},
            {"answer_status": "cancelled", "trained_tokens": 5, "usage_source": "late"},
        ),
        (
            "GET /threads/t/runs/r",
            {"object": "thread.run", "thread_id": "t", "status": "requires_action"},
            {"answer_status": "requires_action", "conversation_id": "t"},
        ),
        (
            "POST /threads/t/runs",
            {"object": "thread.run.step", "thread_id": "t", "run_id": "r", "status": "completed"},
            {"response_id": "r", "conversation_id": "t"},
        ),
        ("POST /threads/t/runs", {"object": "thread.message", "thread_id": "t"}, {"conversation_id": "t"}),
        ("POST /threads", {"id": "thread_1"}, {"conversation_id": "thread_1"}),
        (
            "POST /containers",
            {"id": "cntr_1", "status": "running", "memory_limit": "4g"},
            {"containers": ["cntr_1"], "container_memory": "4g", "usage_source": "response"},
        ),
        ("POST /containers", {"memory_limit": 4}, {"container_memory": "4"}),
        (
            "GET /containers/c",
            {"id": "cntr_1", "memory_limit": "4g"},
            {"containers": ["cntr_1"], "container_memory": "4g"},
        ),
        (
            "POST /realtime/client_secrets",
            {"value": "ek_secret", "session": {"id": "sess_1", "model": "gpt-realtime", "client_secret": "ek_secret"}},
            {"conversation_id": "sess_1", "response_model": "gpt-realtime"},
        ),
        ("POST /live/sessions", {"id": "live_1", "session": "x"}, {"conversation_id": "live_1"}),
        (
            "GET /agents/sessions/s/turns/t",
            {"id": "turn_1", "session_id": "sess_1", "status": "failed"},
            {"answer_status": "failed", "conversation_id": "sess_1"},
        ),
        ("POST /agents/sessions", {"id": "sess_1", "status": "idle"}, {}),
        ("POST /files", {"id": "file-1", "status": "processed"}, {"file_id": "file-1"}),
        ("POST /uploads/u/complete", {"id": "upload_1", "file": {"id": "file-1"}}, {"file_id": "file-1"}),
        ("POST /uploads/u/complete", {"id": "upload_1", "file": 3}, {"file_id": "upload_1"}),
    ],
)
def test_work_and_things_tell_their_units(place: str, body: object, units: Facts) -> None:
    """States, files, threads and containers stand in the record; secrets never do."""
    assert _told(place, body) == units


def _eval_run(status: str, *models: str) -> Facts:
    usage = [{"model_name": name, "prompt_tokens": 10 * (n + 1), "cached_tokens": n} for n, name in enumerate(models)]
    return {"id": "evalrun_1", "status": status, "model": "gpt-4.1", "per_model_usage": usage}


def test_an_eval_run_has_a_record_for_each_model() -> None:
    """The run's own model is that of its record; each other counts by its own name, whatever the order."""
    models = ["gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14", "o3"]
    answer = _answer("GET /evals/e/runs/r", _eval_run("completed", *models), {"response_id": "evalrun_1"})

    assert answer_units(answer) == {
        "answer_status": "completed",
        "response_model": "gpt-4.1-2025-04-14",
        "input_tokens": 20,
        "cache_read_input_tokens": 1,
        "usage_source": "late",
    }
    assert [(part["response_id"], part["input_tokens"], part["usage_source"]) for part in answer_parts(answer)] == [
        ("evalrun_1/gpt-4.1-mini-2025-04-14", 10, "late"),
        ("evalrun_1/o3", 30, "late"),
    ]


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_eval_run_counts_when_it_has_ended(status: str) -> None:
    """What is used so far would be counted for the whole."""
    answer = _answer("GET /evals/e/runs/r", _eval_run(status, "gpt-4.1", "o3"), {"response_id": "evalrun_1"})

    assert answer_units(answer) == {"answer_status": status}
    assert answer_parts(answer) == []


@pytest.mark.parametrize(
    ("event", "parts"),
    [
        (
            {
                "type": "agent.session.turn.completed",
                "session_id": "sess_1",
                "turn_id": "turn_1",
                "turn": {"id": "turn_1", "status": "completed", "usage": {"input_tokens": 1}},
                "usage": {"input_tokens": 5, "output_tokens": 2},
            },
            [
                {
                    "response_id": "turn_1",
                    "conversation_id": "sess_1",
                    "answer_status": "completed",
                    "input_tokens": 5,
                    "output_tokens": 2,
                    "usage_source": "late",
                }
            ],
        ),
        (
            {"type": "agent.session.turn.failed", "turn": {"id": "turn_2", "usage": {"input_tokens": 1}}},
            [{"response_id": "turn_2", "input_tokens": 1, "usage_source": "late"}],
        ),
        ({"type": "agent.session.turn.completed", "turn_id": "turn_1", "turn": None, "usage": None}, []),
        ({"type": "agent.session.turn.completed", "usage": {"input_tokens": 5}}, []),
        ({"type": "agent.session.turn.created", "turn_id": "turn_1", "usage": {"input_tokens": 5}}, []),
    ],
)
def test_each_turn_of_an_agent_is_a_work(event: object, parts: list[Facts]) -> None:
    """A stream of a session tells of many turns; each counts by its own id."""
    assert answer_parts(_answer("GET /agents/sessions/s/events", event)) == parts


def test_models_that_search_search_once() -> None:
    """No answer of a chat says how often was searched."""
    assert searches_of("gpt-4o-mini-search-preview") == {"web_search": 1}
    assert searches_of("gpt-5-search-api-2025-10-14") == {"web_search": 1}
    assert searches_of("o3-deep-research") is None
    assert searches_of("gpt-4o") is None


_PLACES = sorted({row.split(" units:")[0]: key for key, row in ROWS.items() if "units:" in row}.values())
_KEYS = st.sampled_from(
    """
    id type object status model usage background conversation tools output tool_usage data size quality svg_usage
    duration seconds output_file_id trained_tokens thread_id run_id per_model_usage session session_id turn turn_id
    memory_limit file web_search image_gen num_requests action container_id environment container input error
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
_WORDS = st.sampled_from(
    [
        "completed",
        "agent.session.turn.completed",
        "image_generation.completed",
        "web_search_call",
        "shell_call",
        "web_search",
        "thread.run",
        "m",
        "8",
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _WORDS | st.text(max_size=3)
_BODIES = st.dictionaries(
    _KEYS,
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@given(place=st.sampled_from(_PLACES), body=_BODIES, text=st.binary(max_size=20), is_text=st.booleans())
def test_no_body_is_too_odd(place: str, body: Facts, text: bytes, is_text: bool) -> None:
    """Whatever stands in a body, nothing is raised, and what is told are fields of a record that can be written."""
    answer = _answer(place, text if is_text else body, {"response_id": "r", "input_characters": 3}, None)
    asked = json.dumps(body).encode()
    told = [answer_units(answer), *answer_parts(answer)]
    told.append(request_units(_endpoint(place), read_request(asked) or RequestBody(), asked))

    for fields in told:
        assert set(fields) <= set(Record.__struct_fields__)
        assert None not in fields.values()
        line = {"record_id": "1", "call_id": "1", "attempt": 0, "started_at": "2026-11-20T10:00:00Z"}
        names = {"provider_name": "openai", "operation_name": "x", "endpoint": "/x"}
        msgspec.json.decode(msgspec.json.encode({**line, **names, **fields}), type=Record)
