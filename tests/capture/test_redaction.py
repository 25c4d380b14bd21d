"""What is taken out of contents, wherever it stands in them, and what is left."""

import json
import time
from typing import Any

import pytest

from monitor.capture.joined import joined
from monitor.capture.redaction import Redaction

_KEYS = (
    "sk-proj-abcDEF0123456789_-abcDEF0123456789",
    "sk-abcdefghijklmnopqrstuvwx",
    "sk-svcacct-0123456789abcdef",
    "ek_68af296e8e408191a1120ab6383263c2",
    "Bearer abc.def-ghi_jkl0123",
    "bearer  c2VjcmV0LXRva2Vu==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk",
)


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("around", ["{}", "use {} now", "KEY={}", '"{}"', "a\n{}\nb", "é{}é", "_{}", "({})"])
def test_keys_and_tokens_are_always_taken_out(key: str, around: str) -> None:
    """Nobody has to ask for it."""
    shown = Redaction().text(around.format(key))

    assert "[redacted]" in shown
    assert key[7:15] not in shown


@pytest.mark.parametrize(
    "text", ["a task-force of desk-workers", "ask-me-anything-now", "the bearer of news", "Paris."]
)
def test_plain_words_are_left(text: str) -> None:
    """What only looks a little like a key is none."""
    assert Redaction().text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to ann.lee+x@mail.example.co.uk, please", "write to [redacted], please"),
        ("ann@example.com;bob@example.org", "[redacted];[redacted]"),
        ("@home at 5", "@home at 5"),
    ],
)
def test_email_addresses_are_taken_out_when_asked(text: str, shown: str) -> None:
    """And else are left."""
    assert Redaction(["email"]).text(text) == shown
    assert Redaction().text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("card 4111 1111 1111 1111 ok", "card [redacted] ok"),
        ("4111-1111-1111-1111", "[redacted]"),
        ("5500005555555559", "[redacted]"),
        ("378282246310005.", "[redacted]."),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("order 1795168800000", "order 1795168800000"),
    ],
)
def test_card_numbers_are_taken_out_when_asked(text: str, shown: str) -> None:
    """Numbers whose check digit is wrong are no cards."""
    assert Redaction(["card"]).text(text) == shown


def test_patterns_of_ones_own_are_taken_out() -> None:
    """Each match, wherever it stands: in names, texts and numbers."""
    redaction = Redaction([r"cust-\d+", r"\b4242\b"])
    value = {"cust-1": ["cust-22 and cust-3", {"id": 4242}], "n": 5, "is": True, "none": None}

    assert redaction.value(value) == {
        "[redacted]": ["[redacted] and [redacted]", {"id": "[redacted]"}],
        "n": 5,
        "is": True,
        "none": None,
    }


def test_a_card_number_that_is_a_number_is_taken_out() -> None:
    """A tool may be called with one."""
    assert Redaction(["card"]).value({"card": 4111111111111111}) == {"card": "[redacted]"}


def test_bulk_is_a_note_of_its_size() -> None:
    """Pictures and sound in a body, and vectors."""
    redaction = Redaction()

    assert redaction.value({"url": "data:image/png;base64," + "QUJD" * 500}) == {
        "url": "data:image/png;base64,[1500 bytes of base64]"
    }
    assert redaction.text("x" * 999) == "x" * 999
    assert redaction.value({"embedding": [0.5] * 1536}) == {"embedding": "[1536 numbers]"}


@pytest.mark.parametrize("text", ["a" * 999 + " ", "a." * 60, "1 " * 500, "sk-" * 300, "@" * 900, "-" * 999])
def test_no_text_takes_long(text: str) -> None:
    """A pattern that looks at each letter many times would hold the program up."""
    redaction = Redaction(["email", "card"])
    began = time.process_time()
    redaction.text(text * 60)

    assert time.process_time() - began < 2


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
