"""A program with a watched socket sees what it sees without: messages, classes, exceptions; so does the server."""

import asyncio
import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from monitor.capture.socket_opening import Opening
from monitor.capture.wrap import HEALTH
from tests.capture import socket_programs as programs
from tests.capture.socket_programs import REALTIME, RESPONSES, operations
from tests.capture.socket_server import (
    HEAR,
    NEEDS_BETA,
    NEEDS_LIVE,
    NEEDS_REALTIME,
    NEEDS_RESPONSES,
    ON_SOCKETS,
    Hands,
    SocketServer,
    new_client,
    raw,
    talking,
)
from tests.capture.world import World

_OPENINGS = [
    pytest.param(programs.realtime, REALTIME, marks=NEEDS_REALTIME, id="realtime"),
    pytest.param(programs.beta_realtime, REALTIME, marks=NEEDS_BETA, id="beta"),
    pytest.param(programs.responses, RESPONSES, marks=NEEDS_RESPONSES, id="responses"),
    pytest.param(programs.live, (HEAR, *programs.LIVE), marks=NEEDS_LIVE, id="live"),
]
_EVENTS = """
    session.created session.updated session.started session.usage.updated session.closed response.created
    response.output_text.delta response.done response.completed response.failed response.event decision.event error
    rate_limits.updated input_audio_buffer.committed conversation.item.input_audio_transcription.completed
    """.split()  # noqa: SIM905 - words read better than a column of quotes
_ODD = ("null", "7", '"x"', "[]", "{}", '[{"name": 7}]', '{"id": {}, "seconds": "x", "status": []}', "NaN", "1e999")
_FIELDS = ("response", "usage", "session", "error", "rate_limits", "event", "item_id")
_USAGES = (
    '"x"',
    "[]",
    '{"input_tokens": "x"}',
    '{"input_tokens": -1e300, "seconds": NaN}',
    '{"input_token_details": 7}',
)


def _odd_messages() -> list[str | bytes]:
    """Messages of every kind in which one part is not what it should be, and some that are none at all."""
    bare: list[str | bytes] = [f'{{"type":"{kind}"}}' for kind in _EVENTS]
    parts = [f'{{"type":"{kind}","{field}":{odd}}}' for kind in _EVENTS for field in _FIELDS for odd in _ODD]
    usages = [f'{{"type":"response.done","response":{{"id":"r","status":"failed","usage":{odd}}}}}' for odd in _USAGES]
    deep = '{"type":"response.done","response":' + "[" * 5000 + "]" * 5000 + "}"
    late = f'{{"delta":"{"A" * 500}","nothing":{{}},"type":"response.output_audio.delta"}}'
    none = ["", "x", "[]", "null", '{"type":7}', '{"type":null}', '"type"', '{"type":"\\ud800"}', "{", deep, late]
    # A session that is closed is over: nothing after it would be looked at.
    kept = [text for text in parts if '"session.closed"' not in text]
    return [*bare[:4], *bare[5:], *kept, *usages, *none, b"\xff\xfe", b'{"type":"response.done"}', bare[4]]


def _seen(kind: type[Any], program: programs.Program, opening: Any, frames: Any, world: World | None) -> list[object]:
    with talking(kind, frames, world) as (client, heard):
        return [asyncio.run(program(client, opening, Hands())), heard.paths, heard.messages]


pytestmark = ON_SOCKETS


@pytest.mark.parametrize(("opening", "frames"), _OPENINGS)
@pytest.mark.parametrize("program", programs.PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_sees_the_same(
    world: World, kind: type[Any], program: programs.Program, opening: Any, frames: Any
) -> None:
    """Whatever way it reads, and however it leaves."""
    assert _seen(kind, program, opening, frames, world) == _seen(kind, program, opening, frames, None)
    assert world.ends() != []


@NEEDS_REALTIME
def test_odd_messages_pass_as_they_are(world: World, kind: type[Any]) -> None:
    """Messages can be anything: none is changed, none makes us stumble, and what is recorded can be read."""
    before = HEALTH.counts()

    async def run(client: Any) -> list[object]:
        hands = Hands()
        connection = await hands.got(programs.realtime(client).enter())
        found = [await hands.got(connection.recv_bytes()) for _ in messages]
        await hands.got(connection.close())
        return found

    messages = _odd_messages()
    with talking(kind, map(raw, messages), world) as (client, _):
        found = asyncio.run(run(client))

    assert found == [message.encode() if isinstance(message, str) else message for message in messages]
    assert HEALTH.counts() == before
    assert "connect" in operations(world)


class _Bare:
    """What a program may put in the place of a socket: it can hardly do a thing."""

    def send(self, message: object) -> None:
        """Nothing."""


class _Full(_Bare):
    """It can do all that a socket can, and is none."""

    request = response = None

    def recv(self) -> str:
        """Nothing."""
        return ""

    def recv_streaming(self) -> list[str]:
        """Nothing."""
        return []

    def close(self) -> None:
        """Nothing."""


class _Around:
    """The SDK's object around it."""

    def __init__(self, connection: object) -> None:
        self._connection = connection


@pytest.mark.parametrize(
    "opened", [None, _Bare(), _Full(), _Around(_Bare()), _Around(_Full())], ids=lambda opened: type(opened).__name__
)
def test_what_is_no_socket_is_left_alone(world: World, kind: type[Any], opened: object) -> None:
    """Programs test with sockets of their own make: those stay as they are, and count as no fault of ours."""
    before, of_kind = HEALTH.counts(), type(opened)
    client = new_client(kind, "127.0.0.1:9", world)

    Opening(client._client._transport.recorder, None, client, None).done(opened)

    assert HEALTH.counts() == before
    assert type(opened) is of_kind
    assert world.ends() == []


@NEEDS_REALTIME
def test_a_spool_that_is_gone_is_not_noticed(world: World, kind: type[Any]) -> None:
    """What cannot be recorded is lost, the conversation is not."""
    with SocketServer(REALTIME) as server:
        client = new_client(kind, server.host, world)
        shutil.rmtree(world.directory / "spool")
        found = asyncio.run(programs.ask_and_read_all(client, programs.realtime, Hands()))

    assert len(found) == len(REALTIME)


_LATE = """
import asyncio, json, sys
import openai, monitor
from monitor.settings import Settings

kind, host, home = sys.argv[1:]
client = getattr(openai, kind)(api_key="sk-x", base_url=f"http://{host}/v1", websocket_base_url=f"ws://{host}/v1")
monitor.wrap(client, settings=Settings(home=__import__("pathlib").Path(home)))
names = ("openai.resources.realtime.realtime", "monitor.capture.socket_session")
loaded = [name for name in names if name in sys.modules]

async def run():
    async with client.realtime.connect(model="m") as connection:
        await connection.response.create()
        async for event in connection:
            pass

if kind == "OpenAI":
    with client.realtime.connect(model="m") as connection:
        connection.response.create()
        for event in connection:
            pass
else:
    asyncio.run(run())
print(json.dumps(loaded))
"""


@NEEDS_REALTIME
def test_what_is_loaded_later_is_watched(world: World, kind: type[Any]) -> None:
    """Wrapping loads neither the SDK's sockets nor ours; they are found when a program first asks for them."""
    with SocketServer(REALTIME) as server:
        done = subprocess.run(
            [sys.executable, "-c", _LATE, kind.__name__, server.host, str(world.directory)],
            check=True,
            capture_output=True,
            timeout=60,
        )

    assert json.loads(done.stdout) == []
    assert operations(world) == ["realtime", "connect"]
