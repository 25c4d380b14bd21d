"""Answers too large to be kept: their end states the usage."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.large_bodies import Tail
from tests.capture.world import USAGE, World, always, opened
from tests.cassettes.server import Answer

_LARGE = 65 * 2**20
_JSON = (("content-type", "application/json"),)


def _pieces(*parts: bytes) -> tuple[bytes, ...]:
    return tuple(part[at : at + 2**20] for part in parts for at in range(0, len(part), 2**20))


def test_the_usage_of_a_large_embedding_is_read(world: World) -> None:
    """Vectors of 2,048 texts as numbers are larger than what is kept."""
    numbers = b"[" + b"-0.0123456789," * (_LARGE // 14) + b"0]"
    start = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":'
    end = b'}],\n "model": "text-embedding-3-large", "usage": {"prompt_tokens": 8191, "total_tokens": 8191}\n}\n'
    with opened(always(Answer(headers=_JSON, pieces=_pieces(start, numbers, end))), world) as client:
        answer = client.embeddings.with_raw_response.create(
            model="text-embedding-3-large", input="a", encoding_format="float"
        )
    found = world.end()

    assert answer.content == start + numbers + end
    assert (found["input_tokens"], found["usage_source"]) == (8191, "response")
    assert found["response_model"] == "text-embedding-3-large"


def test_the_end_of_a_large_answer_is_not_kept_as_the_answer(world: World) -> None:
    """Where contents are kept, what is not there is null."""
    body = b'{"data":["' + b"x" * _LARGE + b'"],"usage":{"prompt_tokens":5,"total_tokens":5}}'
    with opened(always(Answer(headers=_JSON, pieces=_pieces(body)))) as client:
        world.wrap(client, content=True)
        client.embeddings.with_raw_response.create(model="text-embedding-3-large", input="a")
    (content,) = world.contents()

    assert world.end()["input_tokens"] == 5
    assert (content["record_id"], content.get("answer")) == (world.end()["record_id"], None)
    assert "text-embedding-3-large" in content["request"]


def test_the_usage_of_large_pictures_is_read(world: World) -> None:
    """How many they are is unknown: nobody counts those that pass."""
    picture = base64.b64encode(bytes(_LARGE // 8)).decode()
    body = {
        "created": 1795168800,
        "data": [{"b64_json": picture}] * 7,
        "usage": {"input_tokens": 30, "output_tokens": 7 * 4160, "total_tokens": 29150},
        "quality": "high",
    }
    content = json.dumps(body).encode()
    assert len(content) > 2**26
    with opened(always(Answer(headers=_JSON, pieces=_pieces(content))), world) as client:
        found = client.images.generate(model="gpt-image-1.5", prompt="A cat", n=7)
    end = world.end()

    assert len(found.data) == 7
    assert (end["input_tokens"], end["output_tokens"], end["usage_source"]) == (30, 29120, "response")
    assert (end["media_quality"], "image_count" in end) == ("high", False)


_ENDS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "at the end": ('{"data":["…"],"usage":{"a":1}}', {"usage": {"a": 1}}),
    "model first": (
        '{"d":1,"model":"m","x":[1,"}"],"usage":{"a":1}} ',
        {"model": "m", "x": [1, "}"], "usage": {"a": 1}},
    ),
    "of an inner object": ('{"data":[{"x":1,"usage":{"a":1}}]}', None),
    "in a text": (json.dumps({"data": ',"usage":{"a":1}}'}), None),
    "cut off": ('{"data":["…"],"usage":{"a":1', None),
    "the only member": ('{"usage":{"a":1}}', None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "found"), _ENDS.values(), ids=_ENDS)
def test_members_at_the_end_are_found(text: str, found: dict[str, Any] | None) -> None:
    """Those of the answer itself, and no others."""
    members = Tail([text.encode()]).members()

    assert (json.loads(members) if members else None) == found


@given(sizes=st.lists(st.integers(0, 200_000), max_size=12))
def test_pieces_of_any_size_leave_the_end(sizes: list[int]) -> None:
    """However the network cut them."""
    end = b',"usage":' + json.dumps(USAGE).encode() + b"}"
    content = b'{"data":"' + b"x" * sum(sizes) + b'"' + end
    pieces, at = [], 0
    for size in sizes:
        pieces.append(content[at : at + size])
        at += size
    tail = Tail(pieces[:1])
    for piece in (*pieces[1:], content[at:] if sizes else content):
        tail.take(piece)

    assert json.loads(tail.members()) == {"usage": USAGE}
