"""The short cut past events that tell nothing never changes what is recorded or what the caller gets."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.capture.endpoints import endpoint_of
from monitor.capture.exchange import Exchange
from monitor.capture.guarded import Guard
from monitor.capture.heard import Heard
from monitor.capture.quiet import QuietEvents
from monitor.capture.routes import Route
from monitor.capture.watches import HidingWatch, StreamWatch
from monitor.health import Health

_TRICKY = (
    '"usage":null',
    ',"usage":null',
    '"finish_reason":"stop"',
    '"error"',
    "[DONE]",
    "\n\n",
    '{"choices":[{"index":0,"delta":{',
    "é\U0001f5fc",
)
_HEAD: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
_USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


class _Never(QuietEvents):
    """Reads every event."""

    def shown(self, piece: bytes) -> bytes | None:
        return None


class _Writer:
    """Keeps what would stand on the spool."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def put(self, kind: bytes, *inners: bytes) -> bool:
        self.records += [json.loads(b"{%b}" % inner) for inner in inners]
        return True


_chunks = st.builds(
    lambda text, reason, usage, order, extra: (
        {**_HEAD, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}], **usage, **extra}
        if order
        else {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}], **usage, **_HEAD}
    ),
    st.one_of(st.sampled_from(_TRICKY), st.text(max_size=8)),
    st.sampled_from([None, None, None, None, "stop"]),
    st.sampled_from([{}, {"usage": None}, {"usage": None}, {"usage": _USAGE}]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from(
        [
            {},
            {},
            {"error": {"code": "server_error"}},
            {"obfuscation": "x"},
            {"obfuscation": "xyz"},
            {"obfuscation": 'x"'},
            {"obfuscation": "x", "error": {"code": "x"}},
            {"obfuscation": "x", "usage": _USAGE},
        ]
    ),
)
_typed = st.builds(
    lambda kind, text: {"type": kind, "delta": text},
    st.sampled_from(["response.output_text.delta", "response.created", "response.completed", "error"]),
    st.text(max_size=8),
)


def _event(body: dict[str, Any], *, is_spaced: bool, is_named: bool) -> bytes:
    data = json.dumps(body, separators=None if is_spaced else (",", ":"), ensure_ascii=False)
    name = f"event: {body['type']}\n" if is_named and "type" in body else ""
    return f"{name}data: {data}\n\n".encode()


_events = st.lists(
    st.builds(
        lambda body, is_spaced, is_named: _event(body, is_spaced=is_spaced, is_named=is_named),
        st.one_of(_chunks, _chunks, _typed),
        st.sampled_from([False, False, False, True]),
        st.booleans(),
    ),
    max_size=12,
)


def _pieces(events: list[bytes], cuts: list[int], joined: set[int], *, has_done: bool) -> list[bytes]:
    """The stream, cut between events but for the joined ones, and anywhere else."""
    stream = b"".join(events) + (b"data: [DONE]\n\n" if has_done else b"")
    ends = {sum(map(len, events[:count])) for count in range(len(events) + 1) if count not in joined}
    places = sorted({0, len(stream), *ends, *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]


def _exchange(writer: _Writer) -> Exchange:
    route = Route(
        place=("POST", b"/v1/chat/completions", b"api.openai.com"),
        endpoint=endpoint_of("POST", "/v1/chat/completions"),
        deployment=None,
        named_id="",
        facts={},
        begun=b'"endpoint":"/chat/completions",',
        more=b',"host":"h",',
        accounts={},
        may_change=True,
    )
    body: Any = type("Body", (), {"stream": True, "stream_options": None})()
    return Exchange(writer, route, {}, {}, b'"record_id":"1"', body, None, Guard(Health()))  # type: ignore[arg-type]  # as much of a writer as is used


def _seen(kind: type[StreamWatch], pieces: list[bytes], quiet: type[QuietEvents]) -> tuple[bytes, list[dict[str, Any]]]:
    writer = _Writer()
    exchange, guard = _exchange(writer), Guard(Health())
    is_hiding = kind is HidingWatch
    watch = HidingWatch(exchange, guard, None, ValueError) if is_hiding else StreamWatch(exchange, guard, None)
    watch._reader._quiet = quiet(watch._heard, is_hiding=is_hiding)
    shown = b""
    for piece in pieces:
        shown += watch.passing(piece)
    shown += watch.ended() or b""
    for record in writer.records:
        for name in ("duration", "time_to_first_chunk"):
            record.pop(name, None)
    return shown, writer.records


@settings(max_examples=300, deadline=None)
@given(_events, st.lists(st.integers(0, 10**6), max_size=6), st.sets(st.integers(0, 12), max_size=4), st.booleans())
def test_the_short_cut_changes_nothing(events: list[bytes], cuts: list[int], joined: set[int], has_done: bool) -> None:
    """Any mixture of chunks, cut anywhere: same bytes to the caller, same record."""
    pieces = _pieces(events, cuts, joined, has_done=has_done)

    for kind in (StreamWatch, HidingWatch):
        assert _seen(kind, pieces, QuietEvents) == _seen(kind, pieces, _Never)


def test_most_chunks_of_a_chat_are_quiet() -> None:
    """Once it has seen one, it knows the others; the last one has something to tell."""
    heard = Heard()
    quiet = QuietEvents(heard, is_hiding=True)
    body = {**_HEAD, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}], "usage": None}
    last = {**_HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None}
    event, final = (_event(chunk, is_spaced=False, is_named=False) for chunk in (body, last))

    quiet.learn(event)

    assert quiet.shown(event) == event.replace(b',"usage":null', b"")
    assert quiet.shown(final) is None
    assert heard.pieces == [event]


class _Searching(QuietEvents):
    """Counts its searches."""

    searches = 0

    def _is_quiet(self, piece: bytes) -> bool:
        self.searches += 1
        return super()._is_quiet(piece)


@pytest.mark.parametrize("more", [{}, {"usage": None}, {"obfuscation": "ab"}, {"usage": None, "obfuscation": "ab"}])
def test_other_text_and_other_padding_are_nothing_new(more: dict[str, Any]) -> None:
    """What differs from the chunk before in nothing else is known without a search through it."""
    quiet = _Searching(Heard(), is_hiding=True)
    events = []
    for text in ("a", "word", ""):
        padding = {"obfuscation": text * 3} if "obfuscation" in more else {}
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        events.append(_event({**_HEAD, "choices": [choice], **more, **padding}, is_spaced=False, is_named=False))
    quiet.learn(events[0])

    assert [quiet.shown(event) for event in events] == [event.replace(b',"usage":null', b"") for event in events]
    assert quiet.searches == 1
    assert quiet.shown(events[1].replace(b"}\n", b',"error":{"code":"x"}}\n')) is None
    assert quiet.shown(events[1] + events[1]) is None
    assert quiet.searches == 3


def test_named_deltas_are_quiet() -> None:
    """A delta of a response tells nothing; its end does."""
    quiet = QuietEvents(Heard(), is_hiding=False)
    delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta"}\n\n'

    assert quiet.shown(delta) == delta
    assert quiet.shown(b'event: response.completed\ndata: {"type":"response.completed"}\n\n') is None
