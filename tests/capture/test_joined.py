"""Event streams as one value: nothing that came in pieces is left in pieces."""

import json
from typing import Any

import pytest

from monitor.capture.joined import joined
from monitor.capture.redaction import Redaction


def _events(*events: Any, end: str = "\n") -> str:
    return "".join(f"data: {event if isinstance(event, str) else json.dumps(event)}{end}{end}" for event in events)


def _chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None, **more}
    return {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [choice], "obfuscation": "xyz"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_chat_stream_becomes_one_chunk(end: str) -> None:
    """Its texts joined, so that a secret cut into pieces is whole again."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    stream = _events(
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"content": "my key is sk-"}),
        _chunk({"content": "proj-abcdefgh"}),
        _chunk({"tool_calls": [call]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]}),
        _chunk({}, finish_reason="stop"),
        {"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": 3}},
        "[DONE]",
        end=end,
    )
    (found,) = joined(stream, is_torn=False)
    (choice,) = found["choices"]

    assert choice["delta"]["content"] == "my key is sk-proj-abcdefgh"
    assert choice["delta"]["tool_calls"] == [{**call, "function": {"name": "look", "arguments": '{"a": 1}'}}]
    assert (choice["finish_reason"], found["usage"], found["id"]) == ("stop", {"prompt_tokens": 3}, "chatcmpl-1")
    assert "obfuscation" not in found


def test_choices_are_kept_apart() -> None:
    """By their index."""
    both = [[{"index": number, "delta": {"content": text}}] for text in "ab" for number in (0, 1)]
    (found,) = joined(_events(*({"choices": choices} for choices in both)), is_torn=False)

    assert [choice["delta"]["content"] for choice in found["choices"]] == ["ab", "ab"]


def test_a_completion_stream_is_joined_too() -> None:
    """The older endpoint has its text in another place."""
    (found,) = joined(_events(*({"choices": [{"index": 0, "text": text}]} for text in ("a ", "b"))), is_torn=False)

    assert found["choices"][0]["text"] == "a b"


def test_of_a_responses_stream_the_final_response_is_kept() -> None:
    """It says all that the events said."""
    response = {"id": "resp_1", "output": [{"type": "message", "content": [{"text": "Paris."}]}]}
    stream = _events(
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_text.delta", "item_id": "m", "delta": "Paris."},
        {"type": "response.completed", "response": response},
    )

    assert joined(stream, is_torn=False) == response


def test_of_a_broken_responses_stream_the_pieces_are_joined() -> None:
    """Each item and kind of text by itself."""
    text = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0}
    thought = {"type": "response.reasoning_text.delta", "item_id": "r", "output_index": 1}
    stream = _events(
        {**text, "delta": "Par", "sequence_number": 1},
        {**thought, "delta": "Hm"},
        {**text, "delta": "is.", "sequence_number": 3},
        {"type": "response.output_item.done", "item": {"id": "m"}, "sequence_number": 4},
    )

    assert joined(stream, is_torn=False) == [
        {**text, "delta": "Paris."},
        {**thought, "delta": "Hm"},
        {"type": "response.output_item.done", "item": {"id": "m"}},
    ]


def _texts(found: Any) -> str:
    return json.dumps(found, separators=(",", ":"))


_CUT = ("it is s", "k-pro", "j-abcDEF", "0123456789 ok")
_JOINED = "it is sk-proj-abcDEF0123456789 ok"
_DELTA: Any = [{"delta": {"content": text}} for text in _CUT]


@pytest.mark.parametrize(
    "events",
    [
        [{"choices": [delta]} for delta in _DELTA],
        [{"choices": [{"index": 0, **_DELTA[0]}]}, *({"choices": [delta]} for delta in _DELTA[1:])],
        [{"choices": [{"text": text}]} for text in _CUT],
        *(
            [{"choices": [{"index": 0, "delta": delta(text)}]} for text in _CUT]
            for delta in (
                lambda text: {"tool_calls": [{"function": {"arguments": text}}]},
                lambda text: {"tool_calls": [{"id": "a", "function": {"arguments": text}}]},
                lambda text: {"function_call": {"arguments": text}},
                lambda text: {"reasoning_content": text},
                lambda text: {"reasoning": text},
                lambda text: {"refusal": text},
                lambda text: {"audio": {"id": "a", "transcript": text}},
                lambda text: {"reasoning_details": [{"type": "reasoning.text", "text": text, "format": "x"}]},
                lambda text: {"reasoning_details": [{"type": "reasoning.summary", "summary": text, "index": 0}]},
                lambda text: {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]},
            )
        ),
        [{"type": "response.reasoning_summary_text.delta", "item_id": "r", "delta": text} for text in _CUT],
        [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in _CUT],
        [
            {"object": "thread.message.delta", "delta": {"content": [{"index": 0, "text": {"value": text}}]}}
            for text in _CUT
        ],
        list(_CUT),
    ],
)
def test_pieces_are_joined_whatever_they_lack(events: list[Any]) -> None:
    """Numbers of choices and calls, which not all servers send; a secret in pieces is whole again."""
    found = joined(_events(*events), is_torn=False)

    assert _texts(found).count(_JOINED) == 1
    assert "abcDEF" not in _texts(Redaction().value(found))


def test_parts_without_a_number_are_told_apart() -> None:
    """By their ids, by their types, and by their place among each other."""
    calls = [
        [{"id": "a", "function": {"name": "f", "arguments": "1"}}, {"id": "b", "function": {"arguments": "2"}}],
        [{"id": "a", "function": {"arguments": "1"}}],
        [{"function": {"arguments": "2"}}],
    ]
    thoughts = [[{"type": "text", "text": "x"}], [{"type": "other", "text": "y"}], [{"type": "text", "text": "x"}]]
    choices = [[{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]] * 2
    chunks = [
        {"choices": [{"delta": {"tool_calls": call, "thoughts": thought}}]}
        for call, thought in zip(calls, thoughts, strict=True)
    ]
    (found,) = joined(_events(*chunks), is_torn=False)
    delta = found["choices"][0]["delta"]
    (both,) = joined(_events(*({"choices": two} for two in choices)), is_torn=False)

    assert [call["function"]["arguments"] for call in delta["tool_calls"]] == ["11", "22"]
    assert [thought["text"] for thought in delta["thoughts"]] == ["xx", "y"]
    assert [choice["delta"]["content"] for choice in both["choices"]] == ["aa", "bb"]


def test_citations_are_no_pieces() -> None:
    """Each is one of its own."""
    links = [{"type": "url_citation", "url_citation": {"url": f"https://a.example/{number}"}} for number in (1, 2)]
    (found,) = joined(_events(*(_chunk({"annotations": [link]}) for link in links)), is_torn=False)

    assert found["choices"][0]["delta"]["annotations"] == links


def test_a_short_answer_that_broke_off_loses_its_last_word_only() -> None:
    """All else can be read."""
    (found,) = joined(_events(_chunk({"content": "It is Par"})), is_torn=True)

    assert found["choices"][0]["delta"]["content"] == "It is"


def test_half_an_event_is_left_out() -> None:
    """It may hold the second half of a secret, which nothing tells."""
    stream = _events(_chunk({"content": "It is sk-pro"})) + 'data: {"choices": [{"delta": {"content": "j-abcDEF and mo'
    found = joined(stream, is_torn=True)

    assert ([one["choices"][0]["delta"]["content"] for one in found], "abcDEF" in _texts(found)) == (["It is"], False)


def test_the_tail_of_a_torn_stream_is_left_out() -> None:
    """It may be the first half of a secret."""
    pieces = [_chunk({"content": "word "}) for _ in range(100)] + [_chunk({"content": "4111 1111 1"})]
    (found,) = joined(_events(*pieces), is_torn=True)

    assert set(found["choices"][0]["delta"]["content"].split()) == {"word"}


@pytest.mark.parametrize(
    "events",
    [
        ["no json", 7, None, ["a"], {}],
        [{"choices": None}, {"choices": [None, 1, {"index": "a"}, {"delta": "text"}]}, {"choices": {}}],
        [
            {"choices": [{"index": 0, "delta": {"content": {"a": 1}}}]},
            {"choices": [{"index": 0, "delta": {"content": "x"}}]},
        ],
        [
            {"choices": [{"index": 0, "delta": {"content": "x"}}]},
            {"choices": [{"index": 0, "delta": {"content": [1]}}]},
        ],
        [{"choices": [{"index": 0, "delta": {"content": "x"}}]}, {"choices": [{"index": 0, "delta": "x"}]}],
        [{"type": "response.completed", "response": None}, {"type": 5, "delta": None}],
        [{"choices": [{"index": {}, "delta": {}}]}, {"choices": [{"index": [], "delta": {}}]}],
        [{"choices": [{"index": 0, "delta": {"tool_calls": [1, {"index": None}]}}]}] * 2,
    ],
)
def test_odd_events_are_no_fault(events: list[Any]) -> None:
    """Bodies can be anything."""
    found = joined(_events(*events), is_torn=False)

    assert json.loads(json.dumps(found)) == found


def test_what_is_no_stream_is_none() -> None:
    """Then it is a text."""
    assert joined("data:\n\nid: 4\n\n: comment\n\n", is_torn=False) is None
