"""Events are the same wherever the network cuts the stream."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.capture.hiding import shown_of
from monitor.capture.sse import EventSplitter, data_of
from tests.capture.world import TEXTS, USAGE

_LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
_VALUES = st.text(alphabet=st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]))
_LINES = st.builds(lambda name, value: f"{name}:{value}", st.sampled_from(["data", "event", "id", "", "x"]), _VALUES)
_EVENTS = st.lists(st.lists(_LINES, min_size=1, max_size=4), max_size=6)


def _cut(content: bytes, places: list[int]) -> list[bytes]:
    order = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[start:end] for start, end in pairwise(order)] or [content]


def _split(pieces: list[bytes]) -> list[bytes]:
    splitter = EventSplitter()
    found = [event for piece in pieces for event in splitter.feed(piece)]
    rest = splitter.take_rest()
    return [*found, rest] if rest else found


def _datas(events: list[bytes]) -> list[bytes]:
    return [data for data in map(data_of, events) if data]


@settings(deadline=None)
@given(lines=_EVENTS, end=_LINE_ENDS, has_end=st.booleans(), places=st.lists(st.integers(min_value=0), max_size=30))
def test_cutting_changes_no_event(lines: list[list[str]], end: str, has_end: bool, places: list[int]) -> None:
    """Any cutting gives the same data as the whole stream at once, and the same bytes in all."""
    content = "".join("".join(line + end for line in event) + end for event in lines).encode()
    if not has_end:
        content = content.rstrip(b"\r\n")

    pieces = _split(_cut(content, places))

    assert _datas(pieces) == _datas(_split([content]))
    assert b"".join(pieces) == content


@settings(deadline=None)
@given(lines=_EVENTS, ends=st.lists(_LINE_ENDS, min_size=30, max_size=30), places=st.lists(st.integers(min_value=0)))
def test_mixed_line_ends_lose_nothing(lines: list[list[str]], ends: list[str], places: list[int]) -> None:
    """Even where line ends change from line to line every byte comes out again."""
    turn = iter(ends * 4)
    content = "".join("".join(line + next(turn) for line in event) + next(turn) for event in lines).encode()

    assert b"".join(_split(_cut(content, places))) == content


@settings(deadline=None)
@given(lines=_EVENTS, end=_LINE_ENDS)
def test_events_are_those_of_the_standard(lines: list[list[str]], end: str) -> None:
    """The data of an event is its `data` lines, joined; names and comments are not part of it."""
    content = "".join("".join(line + end for line in event) + end for event in lines).encode()
    wanted = []
    for event in lines:
        datas = [line[5:].lstrip(" ") for line in event if line.startswith("data:")]
        wanted.append("\n".join(datas).encode().strip())

    assert _datas(_split([content])) == [data for data in wanted if data]


def test_a_large_event_in_small_pieces_is_joined_once() -> None:
    """A picture of some megabytes in thousands of pieces takes no more than the joining of them."""
    event = b"data: " + b"x" * 8_000_000 + b"\n\n"
    pieces = [event[at : at + 1000] for at in range(0, len(event), 1000)]

    assert _split(pieces) == [event]


_NULL_FIRST = st.sampled_from(
    ['{{"usage":null,"choices":{}}}', '{{"choices":{},"usage":null}}', '{{"choices":{}, "usage" : null}}']
)
_CHOICES = st.lists(
    st.fixed_dictionaries({"delta": st.fixed_dictionaries({"content": st.sampled_from([*TEXTS, "x"])})})
)


@settings(deadline=None)
@given(form=_NULL_FIRST, choices=_CHOICES)
def test_only_the_null_usage_is_taken_out(form: str, choices: list[object]) -> None:
    """Of a chunk just the member `usage` goes, whatever the model has written."""
    body = form.format(json.dumps(choices))

    shown = shown_of(f"data: {body}\n\n".encode())

    whole = json.loads(body)
    del whole["usage"]
    assert json.loads(data_of(shown)) == whole


@settings(deadline=None)
@given(choices=_CHOICES.filter(bool))
def test_a_chunk_with_choices_is_never_hidden(choices: list[object]) -> None:
    """Usage on a chunk that also has a choice stays: the text belongs to the caller."""
    event = f"data: {json.dumps({'choices': choices, 'usage': USAGE})}\n\n".encode()

    assert shown_of(event) == event


def test_the_usage_chunk_is_hidden() -> None:
    """The chunk with the totals and no choice is the one that only we asked for."""
    assert shown_of(f"data: {json.dumps({'choices': [], 'usage': USAGE})}\n\n".encode()) == b""


def test_other_events_are_not_touched() -> None:
    """Comments, the end marker and what is no JSON come through as they are."""
    for event in (b": ping\n\n", b"data: [DONE]\n\n", b'data: {"usage":{"choices":[]\n\n', b"\n\n", b""):
        assert shown_of(event) == event
