"""Answers that are not what their address, status or content type say: read as the SDK reads them, and counted once."""

import json
from typing import Any, cast

import pytest

from monitor import track
from monitor.capture.exchange import Exchange
from monitor.capture.guarded import Guard
from monitor.capture.watches import DoubtfulWatch
from monitor.health import Health
from tests.capture.world import CHAT, EVENTS, MESSAGES, World, always, chunks, events, json_answer, opened
from tests.cassettes.server import Answer, Asked


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "application/vnd.api+json", "Application/JSON", "binary/octet-stream"]
)
def test_json_under_another_content_type_is_read(content_type: str, world: World) -> None:
    """As the SDK does, which gives the program an answer like any other."""
    answer = json_answer(headers=(("content-type", content_type),))
    with opened(always(answer), world) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=MESSAGES).id == CHAT["id"]

    end = world.end()
    assert (end["response_id"], end["input_tokens"], end["usage_source"]) == (CHAT["id"], 14, "response")


class _Exchange:
    """Notes what it is told of a body."""

    is_done = False

    def __init__(self) -> None:
        self.told: list[bytes | None] = []

    def took_body(self, content: bytes, *, is_whole: bool) -> None:
        self.told.append(content if is_whole else None)


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ((b"\x00\x01{", b'{"id": "no"}'), None),
        ((b' \n{"id": ', b'"yes"}'), b' \n{"id": "yes"}'),
        ((b"  ", b'{"id": "yes"}'), b'  {"id": "yes"}'),
    ],
)
def test_sound_and_pictures_are_not_kept(pieces: tuple[bytes, ...], told: bytes | None) -> None:
    """The first letter tells; what may be JSON is read at its end."""
    exchange = _Exchange()
    watch = DoubtfulWatch(cast("Exchange", exchange), Guard(Health()), None, is_kept=True)
    assert tuple(watch.passing(piece) for piece in pieces) == pieces
    watch.ended()

    assert exchange.told == [told]


@pytest.mark.parametrize(
    "path", ["/containers/cntr_1/files/cfile_1/content", "/videos/video_1/content", "/something/new_1/content"]
)
def test_what_a_file_says_is_no_answer(path: str, world: World) -> None:
    """Somebody saved an answer of the API there: who reads it pays nothing for it."""
    with opened(always(json_answer()), world) as client:
        assert client.get(path, cast_to=object)["id"] == CHAT["id"]

    end = world.end()
    assert (end.get("usage_source"), end.get("response_id"), end.get("input_tokens")) == (None, None, None)


def test_the_refusal_of_a_file_is_read(world: World) -> None:
    """It tells why."""
    answer = json_answer({"error": {"message": "No.", "type": "t", "param": None, "code": "not_here"}}, status=404)
    with opened(always(answer), world) as client, pytest.raises(Exception, match="No"):
        client.get("/videos/video_1/content", cast_to=object)

    assert world.end()["error_code"] == "not_here"


def _moved(asked: Asked) -> Answer:
    if asked.target.startswith("/v1/"):
        return Answer(status=307, headers=(("location", "/moved/v1/chat/completions"),))
    has_usage = "stream_options" in json.loads(asked.body)
    return Answer(headers=EVENTS, pieces=events(chunks(has_usage=has_usage)), is_chunked=True)


def _stream(client: Any) -> list[Any]:
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    return [chunk.to_dict() for chunk in stream]


def test_a_stream_behind_a_redirect_is_recorded_as_one(world: World) -> None:
    """Model, fingerprint and exact usage are those of the request that was answered; the redirect used nothing."""
    with opened(_moved) as client:
        plainly = _stream(client)
    with opened(_moved, world) as client, track() as spend:
        assert _stream(client) == plainly

    assert spend.list_cost is not None
    redirect, answered = world.ends()
    assert (redirect["status"], redirect.get("outcome"), redirect.get("usage_source")) == (307, None, None)
    assert (answered["input_tokens"], answered["output_tokens"], answered["usage_source"]) == (14, 4, "response")
    assert answered["request_model"] == "gpt-4o"
    assert answered["body_fingerprint"] == redirect["body_fingerprint"]
