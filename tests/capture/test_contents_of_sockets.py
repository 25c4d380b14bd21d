"""Contents of what goes over sockets: off unless asked for, redacted, beside the record they belong to."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.capture import socket_programs as programs
from tests.capture.socket_programs import RESPONSES, SESSION, Connect, created, done, ended, response_event
from tests.capture.socket_server import HEAR, NEEDS_REALTIME, NEEDS_RESPONSES, ON_SOCKETS, Frame, Hands, said, talking
from tests.capture.world import World

pytestmark = ON_SOCKETS

_SECRET = "sk-proj-abcDEF0123456789"
_ITEM = {
    "type": "conversation.item.create",
    "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"Hello, {_SECRET}!"}]},
}
_SOUND = {"type": "input_audio_buffer.append", "audio": "UklGRg"}
_ASK = {"type": "response.create"}
_SPOKEN = [{"type": "message", "content": [{"type": "output_audio", "transcript": "Good evening."}]}]


def _done(name: str = "resp_1") -> Frame:
    frame = done(name)
    return {**frame, "event": {**frame["event"], "response": {**frame["event"]["response"], "output": _SPOKEN}}}


def _talk(
    kind: type[Any],
    world: World,
    frames: Sequence[Frame],
    sent: Sequence[dict[str, Any]],
    connect: Connect = programs.realtime,
    *,
    code: int | None = 1000,
) -> None:
    """Send these, and read to the end."""

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(connect(client).enter())
        for message in sent:
            await hands.got(connection.send(message))
        try:
            await hands.items(connection)
        except ConnectionClosed:
            assert code is None
        await hands.got(connection.close())

    with talking(kind, frames, world, code=code) as (client, _):
        asyncio.run(run(client))


@pytest.fixture
def keeping(world: World) -> World:
    """A world in which contents are kept."""
    world.settings = replace(world.settings, content=True)
    return world


@NEEDS_REALTIME
def test_nothing_is_kept_unless_asked_for(world: World, kind: type[Any]) -> None:
    """No file holds a word."""
    _talk(kind, world, (HEAR, HEAR, created(), _done()), (_ITEM, _ASK))

    assert not (world.directory / "content").exists()
    assert b"Good evening" not in world.content()
    assert b"Hello" not in world.content()


@NEEDS_REALTIME
def test_what_is_said_for_a_response_and_what_it_says_are_kept(keeping: World, kind: type[Any]) -> None:
    """The caller's messages but for the sound, and the response; each time only what is new."""
    frames = (said("session.created", session=SESSION), HEAR, HEAR, HEAR, created(), _done())
    _talk(kind, keeping, (*frames, HEAR, created("b"), _done("b")), (_SOUND, _ITEM, _ASK, _ASK))

    first, second = keeping.contents()
    assert [line["record_id"] for line in (first, second)] == [
        line["record_id"] for line in keeping.ends() if line["operation_name"] == "realtime"
    ]
    asked = json.loads(first["request"])
    assert [message["type"] for message in asked] == ["conversation.item.create", "response.create"]
    assert asked[0]["item"]["content"][0]["text"] == "Hello, [redacted]!"
    assert json.loads(first["answer"])["output"] == _SPOKEN
    assert [message["type"] for message in json.loads(second["request"])] == ["response.create"]


@NEEDS_REALTIME
def test_a_response_that_nobody_asked_for_is_kept(keeping: World, kind: type[Any]) -> None:
    """The server answers speech by itself: what was written before belongs to it."""
    _talk(kind, keeping, (HEAR, created(), _done()), (_ITEM,))

    (line,) = keeping.contents()
    assert [message["type"] for message in json.loads(line["request"])] == ["conversation.item.create"]
    assert json.loads(line["answer"])["output"] == _SPOKEN


@NEEDS_REALTIME
def test_a_transcript_is_kept(keeping: World, kind: type[Any]) -> None:
    """What was heard is the content of the transcription."""
    heard = said(
        "conversation.item.input_audio_transcription.completed",
        item_id="i",
        transcript="Where is it?",
        usage={"type": "duration", "seconds": 2},
    )
    _talk(kind, keeping, (said("session.created", session=SESSION), heard), ())

    (line,) = keeping.contents()
    assert line["record_id"] == ended(keeping, "transcription")["record_id"]
    assert (line.get("request"), json.loads(line["answer"])) == (None, {"transcript": "Where is it?"})


@NEEDS_RESPONSES
def test_a_response_over_a_socket_is_kept_as_one_that_was_posted(keeping: World, kind: type[Any]) -> None:
    """The message that asks for it is its request."""
    _talk(kind, keeping, RESPONSES, ({**_ASK, "model": "gpt-5", "input": "Hello"},), programs.responses)

    (line,) = keeping.contents()
    assert json.loads(line["request"]) == {**_ASK, "model": "gpt-5", "input": "Hello"}
    assert json.loads(line["answer"])["id"] == "resp_W1"


@NEEDS_RESPONSES
def test_what_was_asked_is_kept_where_no_answer_came(keeping: World, kind: type[Any]) -> None:
    """The socket broke: the end of the answer is missing."""
    frames = (HEAR, response_event("response.created", status="in_progress"))
    _talk(kind, keeping, frames, ({**_ASK, "input": "Hello"},), programs.responses, code=None)

    (line,) = keeping.contents()
    assert (json.loads(line["request"])["input"], line.get("answer"), line["is_cut"]) == ("Hello", None, True)
