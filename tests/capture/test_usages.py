"""Usage objects of every endpoint: read quickly where they are well-formed, part by part where they are not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.bodies import read_answer
from monitor.capture.usages import UsageBody, amount_of, count_of, usage_fields

_CHAT = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {
        "cached_tokens": 1024,
        "cache_write_tokens": 100,
        "audio_tokens": 7,
        "image_tokens": 8,
        "text_tokens": 1185,
    },
    "completion_tokens_details": {
        "reasoning_tokens": 200,
        "audio_tokens": 5,
        "image_tokens": 6,
        "accepted_prediction_tokens": 3,
        "rejected_prediction_tokens": 4,
    },
}
_CHAT_FIELDS = {
    "input_tokens": 1200,
    "output_tokens": 300,
    "cache_read_input_tokens": 1024,
    "cache_creation_input_tokens": 100,
    "input_audio_tokens": 7,
    "input_image_tokens": 8,
    "reasoning_output_tokens": 200,
    "output_audio_tokens": 5,
    "output_image_tokens": 6,
    "accepted_prediction_tokens": 3,
    "rejected_prediction_tokens": 4,
}
_BOTH = {"prompt_tokens": 14, "completion_tokens": 5, "total_tokens": 19}
_REALTIME_INPUT = {
    "text_tokens": 119,
    "audio_tokens": 13,
    "image_tokens": 2,
    "cached_tokens": 64,
    "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 3, "image_tokens": 1},
}


def _read(usage: object) -> dict[str, object]:
    body = read_answer(json.dumps({"usage": usage}).encode())
    assert body is not None
    return usage_fields(body.usage)


@pytest.mark.parametrize(
    ("usage", "fields"),
    [
        (_CHAT, _CHAT_FIELDS),
        ({"prompt_tokens": 8, "total_tokens": 8}, {"input_tokens": 8}),
        ({"input_tokens": 1, "prompt_tokens": 2, "output_tokens": 3, "completion_tokens": 4}, (1, 3)),
        ({"prompt_tokens": 2, "input_tokens": 1, "completion_tokens": 4, "output_tokens": 3}, (1, 3)),
        (
            {
                "input_tokens": 132,
                "output_tokens": 121,
                "input_token_details": _REALTIME_INPUT,
                "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
            },
            {
                "input_tokens": 132,
                "output_tokens": 121,
                "input_audio_tokens": 13,
                "input_image_tokens": 2,
                "cache_read_input_tokens": 64,
                "cache_read_audio_tokens": 3,
                "cache_read_image_tokens": 1,
                "output_audio_tokens": 91,
            },
        ),
        (
            {
                "input_tokens": 10000,
                "input_tokens_details": {
                    "cache_write_tokens": 8000,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 3000, "ttl_12h_tokens": 5000},
                },
            },
            {"input_tokens": 10000, "cache_creation_input_tokens": 8000, "cache_creation_long_tokens": 5000},
        ),
        (
            {
                "prompt_tokens": 9,
                "prompt_token_details": {"cached_tokens": 5},
                "completion_tokens": 3,
                "completion_token_details": {"reasoning_tokens": 2},
            },
            {"input_tokens": 9, "cache_read_input_tokens": 5, "output_tokens": 3, "reasoning_output_tokens": 2},
        ),
        ({"prompt_tokens": 9, "cached_tokens": 4}, {"input_tokens": 9, "cache_read_input_tokens": 4}),
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5},
            {"input_tokens": 9, "cache_read_input_tokens": 4},
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 0}, "prompt_cache_hit_tokens": "4"},
            {"input_tokens": 9, "cache_read_input_tokens": 4},
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5}, "cached_tokens": 4},
            {"input_tokens": 9, "cache_read_input_tokens": 5},
        ),
        ({"type": "duration", "seconds": 9}, {"audio_seconds": 9.0}),
        ({"type": "tokens", "seconds": 9, "input_tokens": 2}, {"input_tokens": 2}),
        ({**_BOTH, "input_tokens": 0, "output_tokens": 0}, (14, 5)),
        ({"input_tokens": 0, "output_tokens": 0, **_BOTH}, (14, 5)),
        ({**_BOTH, "input_tokens": 0, "output_tokens": 9}, (14, 9)),
        ({"input_tokens": 7, "output_tokens": 3, "prompt_tokens": 0, "completion_tokens": 0}, (7, 3)),
        ({"input_tokens": 0, "output_tokens": 0, "prompt_tokens": 0, "completion_tokens": 0}, (0, 0)),
        ({"input_tokens": 0, "output_tokens": 0}, (0, 0)),
        (
            {
                **_BOTH,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
                "input_tokens_details": {"cached_tokens": 0, "audio_tokens": 2},
            },
            {"input_tokens": 14, "output_tokens": 5, "cache_read_input_tokens": 8, "input_audio_tokens": 2},
        ),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "cached_tokens": 4},
            {"input_tokens": 9, "cache_read_input_tokens": 4},
        ),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "cached_tokens": 0},
            {"input_tokens": 9, "cache_read_input_tokens": 0},
        ),
        ({"prompt_tokens": "14", "completion_tokens": 5.0}, (14, 5)),
        ({"total_tokens": 8}, {}),
        ({}, {}),
    ],
)
def test_each_spelling_of_usage_is_read(usage: dict[str, Any], fields: object) -> None:
    """All endpoints have one meaning for these figures, and several names."""
    if isinstance(fields, tuple):
        fields = dict(zip(("input_tokens", "output_tokens"), fields, strict=True))

    assert _read(usage) == fields
    assert usage_fields(usage) == fields


def test_what_others_state_flat_is_read() -> None:
    """Usage by model has no details: the parts stand beside the totals."""
    usage = {"model": "m", "input_tokens": 5, "output_tokens": 9, "reasoning_tokens": 7, "cached_tokens": 2}

    assert usage_fields(usage) == {
        "input_tokens": 5,
        "output_tokens": 9,
        "reasoning_output_tokens": 7,
        "cache_read_input_tokens": 2,
    }


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"prompt_tokens": "14 tokens"}, {"input_tokens"}),
        ({"prompt_tokens": "14.5"}, {"input_tokens"}),
        ({"prompt_tokens": True}, {"input_tokens"}),
        ({"prompt_tokens": 1.5}, {"input_tokens"}),
        ({"prompt_tokens": 10**12}, {"input_tokens"}),
        ({"completion_tokens": None}, {"output_tokens"}),
        (
            {"prompt_tokens_details": "x"},
            {"cache_read_input_tokens", "cache_creation_input_tokens", "input_audio_tokens", "input_image_tokens"},
        ),
        (
            {"prompt_tokens_details": {**_CHAT["prompt_tokens_details"], "audio_tokens": [1]}},  # type: ignore[dict-item]
            {"input_audio_tokens"},
        ),
        ({"total_tokens": "many"}, set()),
    ],
)
def test_a_part_that_is_none_leaves_the_others(changed: dict[str, object], lost: set[str]) -> None:
    """One odd figure makes that figure unknown and no other."""
    assert _read({**_CHAT, **changed}) == {name: value for name, value in _CHAT_FIELDS.items() if name not in lost}


def test_well_formed_usage_is_read_in_one_go() -> None:
    """The quick way is the one that common usage takes."""
    body = read_answer(json.dumps({"usage": _CHAT}).encode())

    assert body is not None
    assert isinstance(body.usage, UsageBody)


_COUNTS = st.one_of(st.integers(0, 10**12 - 1), st.none())
_DETAILS = st.dictionaries(
    st.sampled_from(
        ["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "reasoning_tokens", "text_tokens"]
    ),
    _COUNTS,
)
_USAGES = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": _COUNTS,
        "completion_tokens": _COUNTS,
        "input_tokens": _COUNTS,
        "output_tokens": st.none(),
        "cached_tokens": _COUNTS,
        "input_tokens_details": st.one_of(_DETAILS, st.none()),
        "prompt_tokens_details": st.one_of(_DETAILS, st.none()),
        "completion_tokens_details": st.one_of(_DETAILS, st.none()),
        "total_tokens": st.integers(),
        "type": st.sampled_from(["tokens", "duration"]),
        "seconds": st.one_of(st.integers(0, 10**6), st.floats(0, 10**6)),
    },
)


@given(usage=_USAGES)
def test_both_ways_of_reading_agree(usage: dict[str, Any]) -> None:
    """What is well-formed means the same, read in one go or part by part."""
    assert _read(usage) == usage_fields(usage)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from([*_CHAT, "cached_tokens", "cache_write_tokens_details", "seconds", "type", "audio_tokens"])


@given(usage=st.dictionaries(_NAMES, _JSON | st.dictionaries(_NAMES, _JSON, max_size=4), max_size=6) | _JSON)
def test_no_usage_is_too_odd(usage: Any) -> None:
    """Whatever stands there, the fields are counts or nothing."""
    fields = {**_read(usage), **usage_fields(usage)}

    assert all(isinstance(value, int | float | None) for value in fields.values())


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (8, 8.0),
        ("8", 8.0),
        ("8.47", 8.47),
        (8.47, 8.47),
        ("", None),
        ("x", None),
        ("nan", None),
        ("inf", None),
        (float("nan"), None),
        (10**400, None),
        ("9" * 40, None),
        (True, None),
        (None, None),
        ([8], None),
    ],
)
def test_an_amount_may_be_written_as_text(value: object, amount: float | None) -> None:
    """Seconds come as numbers and as text."""
    assert amount_of(value) == amount


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 3),
        (3.0, 3),
        (-3, -3),
        (0, 0),
        ("3", 3),
        ("-3", -3),
        ("0", 0),
        (3.5, None),
        (float("nan"), None),
        ("3.5", None),
        ("", None),
        ("-", None),
        ("--3", None),
        ("²", None),
        ("9" * 13, None),
        ("9" * 5000, None),
        (True, None),
        (None, None),
        ([3], None),
    ],
)
def test_a_count_is_a_whole_number(value: object, count: int | None) -> None:
    """A negative one is kept: the ledger calls it impossible, which is more than unknown."""
    assert count_of(value) == count
