"""Contents of what goes over sockets: off unless asked for, redacted, beside the record they belong to."""

import asyncio
import gc
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from monitor.capture.spoken import Spoken
from tests.capture import socket_programs as programs
from tests.capture.socket_programs import (
    RESPONSES,
    SESSION,
    Connect,
    created,
    done,
    ended,
    piece,
    response_event,
    transcribed,
)
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
    key: str | None = None,
) -> None:
    """Send these, and read to the end; `key` is the client's, where it is not the usual one."""

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(connect(client).enter())
        for message in sent:
            await hands.got(connection.send(message))
        try:
            await hands.items(connection)
        except ConnectionClosed:
            assert code != 1000
        await hands.got(connection.close())

    with talking(kind, frames, world, code=code) as (client, _):
        client.api_key = key or client.api_key
        asyncio.run(run(client))


@pytest.fixture
def keeping(world: World) -> World:
    """A world in which contents are kept."""
    world.settings = msgspec.structs.replace(world.settings, content=True)
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


def _text(text: object, **more: Any) -> Frame:
    where = {"item_id": "i", "output_index": 0, "content_index": 0, "sequence_number": 2}
    return said("response.output_text.delta", **where, delta=text, **more)


def _deltas(line: dict[str, Any]) -> dict[str, str]:
    """The texts in an answer that broke off, by the types of their events."""
    return {event["type"]: event["delta"] for event in json.loads(line["answer"])}


@NEEDS_REALTIME
@pytest.mark.parametrize("code", [None, 1000, 1011])
def test_what_was_spoken_is_kept_where_the_socket_breaks_off(keeping: World, kind: type[Any], code: int | None) -> None:
    """Its transcript, not its sound; beside the record of the interrupted response, and marked."""
    spoken = (transcribed("Good "), piece(), transcribed("evening"), piece(), transcribed(", Ann."))
    _talk(kind, keeping, (HEAR, HEAR, created(), *spoken), (_ITEM, _ASK), code=code)

    (line,), record = keeping.contents(), ended(keeping, "realtime")
    assert (line["record_id"], record["outcome"], line["is_cut"]) == (record["record_id"], "interrupted", True)
    assert _deltas(line) == {"response.output_audio_transcript.delta": "Good evening,"}
    assert "Hello" in line["request"]
    assert b"UklGRg" not in keeping.content()


@NEEDS_RESPONSES
def test_the_text_is_kept_where_a_response_over_a_socket_breaks_off(keeping: World, kind: type[Any]) -> None:
    """And the arguments of a tool, each by itself."""
    argument = said("response.function_call_arguments.delta", item_id="f", output_index=1, delta='{"city": "Par')
    texts = [_text("The capital"), argument, _text(" is Par")]
    frames = (HEAR, response_event("response.created", status="in_progress"), *texts)
    _talk(kind, keeping, frames, ({**_ASK, "input": "Hello"},), programs.responses, code=None)

    (line,) = keeping.contents()
    assert _deltas(line) == {
        "response.output_text.delta": "The capital is",
        "response.function_call_arguments.delta": '{"city":',
    }
    assert (json.loads(line["request"])["input"], line["is_cut"]) == ("Hello", True)


@NEEDS_RESPONSES
def test_the_text_is_kept_where_an_error_ends_a_response(keeping: World, kind: type[Any]) -> None:
    """It failed in the middle: the end of its answer is missing."""
    frames = (HEAR, response_event("response.created", status="in_progress"), _text("The capital is"))
    error = said("error", error={"type": "server_error", "message": "Oh"}, status=500)
    _talk(kind, keeping, (*frames, error), ({**_ASK, "input": "Hello"},), programs.responses)

    (line,) = keeping.contents()
    assert (line["record_id"], ended(keeping, "chat")["outcome"]) == (ended(keeping, "chat")["record_id"], "failed")
    assert (_deltas(line), line["is_cut"]) == ({"response.output_text.delta": "The capital"}, True)


@NEEDS_REALTIME
def test_the_pieces_of_a_whole_response_are_not_kept(keeping: World, kind: type[Any]) -> None:
    """They stand in it."""
    _talk(kind, keeping, (HEAR, created(), transcribed("Good "), transcribed("evening."), _done()), (_ASK,))

    (line,) = keeping.contents()
    assert json.loads(line["answer"])["output"] == _SPOKEN
    assert "is_cut" not in line


@NEEDS_REALTIME
def test_each_response_that_breaks_off_has_its_own_text(keeping: World, kind: type[Any]) -> None:
    """What is heard of the caller meanwhile is in neither."""
    heard = said("conversation.item.input_audio_transcription.delta", item_id="u", content_index=0, delta="Wait a bit")
    frames = (created("a"), created("b"), transcribed("one and", "a"), heard, transcribed("two and", "b"))
    _talk(kind, keeping, frames, (), code=None)

    assert [[*_deltas(line).values()] for line in keeping.contents()] == [["one"], ["two"]]


@NEEDS_REALTIME
def test_a_piece_of_what_is_heard_is_none_of_the_answer(world: World, kind: type[Any]) -> None:
    """It is no first chunk either."""
    heard = said("conversation.item.input_audio_transcription.delta", item_id="u", content_index=0, delta="Wait")
    _talk(kind, world, (created(), heard), ())

    assert "time_to_first_chunk" not in ended(world, "realtime")


@NEEDS_REALTIME
@pytest.mark.parametrize("place", [6, 12])
@pytest.mark.parametrize("secret", [_SECRET, "ann.lee@mail.example.com", "4111 1111 1111 1111"])
def test_no_secret_is_left_of_an_answer_that_breaks_off(
    keeping: World, kind: type[Any], place: int, secret: str
) -> None:
    """Neither one that came in pieces, nor the half of one that did not come whole."""
    keeping.settings = msgspec.structs.replace(keeping.settings, content_redact=("email", "card"))
    half = secret[:place]
    spoken = [transcribed(text) for text in ("It is ", secret[:7], secret[7:], " I said ", half[:3], half[3:])]
    _talk(kind, keeping, (created(), *spoken), (), code=None)

    (line,) = keeping.contents()
    (text,) = _deltas(line).values()
    assert text == "It is [redacted] I said"


_OPAQUE = "0f3c9ad27b61e8845d"
_TOOL = {
    "type": "mcp",
    "server_url": f"https://mcp.example/sse?token={_OPAQUE}",
    "authorization": _OPAQUE,
    "headers": {"X-Team": _OPAQUE},
}


@NEEDS_REALTIME
@pytest.mark.parametrize("code", [None, 1000])
def test_secrets_of_tools_are_in_no_file(keeping: World, kind: type[Any], code: int | None) -> None:
    """By their names, in what is asked and what is answered, whole or torn."""
    call = {"type": "function_call", "name": "f", "arguments": json.dumps({"password": _OPAQUE})}
    frame = done()
    ending = {**frame, "event": {**frame["event"], "response": {**frame["event"]["response"], "output": [call]}}}
    spoken = transcribed(f'I call it with {{"password": "{_OPAQUE}"}}, and so')
    frames = (HEAR, HEAR, created(), spoken, *([] if code is None else [ending]))
    _talk(kind, keeping, frames, (_ITEM, {**_ASK, "response": {"tools": [_TOOL]}}), code=code)

    (line,) = keeping.contents()
    assert _OPAQUE.encode() not in keeping.content()
    assert (line["request"].count("[redacted]"), "[redacted]" in line["answer"]) == (4, True)


@NEEDS_RESPONSES
def test_the_key_of_the_socket_itself_is_in_no_file(keeping: World, kind: type[Any]) -> None:
    """Whatever it looks like: it is known from the handshake."""
    output = [{"type": "message", "content": [{"type": "output_text", "text": f"Yours is {_OPAQUE}."}]}]
    frames = (*RESPONSES[:-1], response_event("response.completed", status="completed", output=output))
    sent = {**_ASK, "model": "gpt-5", "input": f"Mine is {_OPAQUE}."}
    _talk(kind, keeping, frames, (sent,), programs.responses, key=_OPAQUE)

    (line,) = keeping.contents()
    assert _OPAQUE.encode() not in keeping.content()
    assert ("Mine is [redacted]." in line["request"], "Yours is [redacted]." in line["answer"]) == (True, True)


@NEEDS_REALTIME
def test_no_more_is_gathered_than_is_kept(keeping: World, kind: type[Any]) -> None:
    """A response that never ends fills no memory."""
    keeping.settings = msgspec.structs.replace(keeping.settings, content_limit=1_000)
    spoken = [transcribed("word " * 100) for _ in range(20)]

    def look(found: list[Spoken]) -> None:
        (spoken,) = found
        assert 400 < sum(len(text.getvalue()) for text in spoken._texts.values()) <= 1_000

    _while_it_runs(kind, keeping, spoken, look)
    (line,) = keeping.contents()
    assert (900 < len(line["answer"]) <= 1_000, line["is_cut"]) == (True, True)


@NEEDS_REALTIME
def test_nothing_is_gathered_where_nothing_is_kept(world: World, kind: type[Any]) -> None:
    """Pieces only pass."""

    def look(found: list[Spoken]) -> None:
        assert found == []

    _while_it_runs(kind, world, [transcribed("Good "), transcribed("evening.")], look)
    assert b"Good" not in world.content()


def _while_it_runs(kind: type[Any], world: World, spoken: Sequence[Frame], look: Any) -> None:
    """Look at what is gathered when these pieces have come, before the socket is closed."""

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(programs.realtime(client).enter())
        for _ in range(len(spoken) + 1):
            await hands.got(connection.recv())
        gc.collect()
        look([found for found in gc.get_objects() if type(found) is Spoken])
        await hands.got(connection.close())

    with talking(kind, (created(), *spoken), world, stays=True) as (client, _):
        asyncio.run(run(client))
