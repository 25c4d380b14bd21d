"""What requests of each family of endpoints tell, and that no body is too odd to be read."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.bodies import MediaRequest, RequestBody, read_request
from monitor.capture.endpoint_rows import ROWS
from monitor.capture.units import answer_parts, answer_units, request_units
from monitor.capture.usages import searches_of
from monitor.records import Record
from tests.capture.told_units import Facts, answer_of, asked, endpoint_at


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
        ("POST /responses", {"background_options": {"completion_window": "8h"}}, {"completion_window": "8h"}),
        ("POST /responses", {"background_options": {"completion_window": "soonest"}}, {}),
        ("POST /responses", {"background_options": {"completion_window": None, "continuation_id": "x"}}, {}),
        ("POST /responses", {"background_options": "8h"}, {}),
        ("POST /containers", {"name": "job", "memory_limit": "4g"}, {"container_memory": "4g"}),
        ("POST /containers", {"name": "job"}, {"container_memory": "1g"}),
        ("POST /batches", {"input_file_id": "file-1"}, {}),
    ],
)
def test_a_request_tells_its_units(place: str, body: object, units: object) -> None:
    """What is charged by what was asked for is read from the request."""
    expected = dict(zip(("media_size", "media_quality"), units, strict=True)) if isinstance(units, tuple) else units

    assert asked(place, body) == expected


def test_a_form_tells_its_units() -> None:
    """The fields of a form are text; they are read like those of a JSON body."""
    form = MediaRequest(size="512x512", quality="high", seconds="12")

    assert request_units(endpoint_at("POST /images/edits"), form, None) == {
        "media_size": "512x512",
        "media_quality": "high",
    }
    assert request_units(endpoint_at("POST /videos/extensions"), form, None) == {
        "video_seconds": 12.0,
        "media_size": "512x512",
    }


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
    answer = answer_of(place, text if is_text else body, {"response_id": "r", "input_characters": 3}, None)
    asked = json.dumps(body).encode()
    told = [answer_units(answer), *answer_parts(answer)]
    told.append(request_units(endpoint_at(place), read_request(asked) or RequestBody(), asked))

    for fields in told:
        assert set(fields) <= set(Record.__struct_fields__)
        assert None not in fields.values()
        line = {"record_id": "1", "call_id": "1", "attempt": 0, "started_at": "2026-11-20T10:00:00Z"}
        names = {"provider_name": "openai", "operation_name": "x", "endpoint": "/x"}
        msgspec.json.decode(msgspec.json.encode({**line, **names, **fields}), type=Record)
