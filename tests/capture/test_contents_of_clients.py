"""Contents of wrapped clients: off unless asked for, and then there when the call returns."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx2 import RemoteProtocolError
from openai import APIError

from tests.architecture.sources import ROOT
from tests.capture.world import (
    CHAT,
    EVENTS,
    KEY,
    MESSAGES,
    World,
    always,
    async_client,
    chunks,
    error_answer,
    events,
    json_answer,
    like_openai,
    opened,
)
from tests.cassettes.server import Answer, LoopbackServer

_SECRET = "sk-proj-abcDEF0123456789"


def _ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES} | more)


def test_nothing_is_kept_unless_asked_for(world: World) -> None:
    """No directory is made, and no file holds a word of prompt or answer."""
    with opened(like_openai, world) as client:
        _ask(client)
        list(_ask(client, stream=True))

    assert not (world.directory / "content").exists()
    assert b"capital of France" not in world.content()
    assert b"Paris" not in world.content()


@pytest.mark.parametrize("way", ["argument", "setting"])
def test_contents_are_kept_when_asked_for(world: World, way: str) -> None:
    """By the argument, or by the setting; beside the record and with its id."""
    asked: dict[str, Any] = (
        {"content": True} if way == "argument" else {"settings": msgspec.structs.replace(world.settings, content=True)}
    )
    with opened(like_openai) as client:
        world.wrap(client, **asked)
        _ask(client)
        (line,) = world.contents()

    assert (line["record_id"], line["started_at"]) == (world.end()["record_id"], world.end()["started_at"])
    assert json.loads(line["request"])["messages"] == MESSAGES
    assert json.loads(line["answer"]) == CHAT


def test_the_argument_wins_over_the_setting(world: World) -> None:
    """One client may be left out."""
    with opened(like_openai) as client:
        world.wrap(client, settings=msgspec.structs.replace(world.settings, content=True), content=False)
        _ask(client)

    assert not (world.directory / "content").exists()


def test_the_text_of_a_stream_is_kept(world: World) -> None:
    """Joined to one text; the request as the program gave it, without what we asked for."""
    with opened(like_openai) as client:
        world.wrap(client, content=True)
        list(_ask(client, stream=True))
    (line,) = world.contents()
    (answer,) = json.loads(line["answer"])

    assert answer["choices"][0]["delta"]["content"] == 'Paris — is it, "usage":null said [DONE] \U0001f5fc.'
    assert "stream_options" not in json.loads(line["request"])


def test_async_clients_keep_too(world: World) -> None:
    """Streamed or not."""

    async def run() -> None:
        with LoopbackServer(like_openai) as server:
            async with async_client(server) as client:
                world.wrap(client, content=True)
                await _ask(client)
                async for _ in await _ask(client, stream=True):
                    pass

    asyncio.run(run())
    assert ["Paris" in line["answer"] for line in world.contents()] == [True, True]


def test_requests_without_contents_have_none(world: World) -> None:
    """What has neither body nor answer to keep, such as the download of a file, is no row."""
    audio = Answer(headers=(("content-type", "audio/mpeg"),), pieces=(b"\xff\xfb",))
    with opened(lambda asked: audio if asked.target.endswith("/content") else json_answer({"data": []})) as client:
        world.wrap(client, content=True)
        client.files.content("file-1").read()
        client.files.list()

    (line,) = world.contents()
    assert (line.get("request"), json.loads(line["answer"])) == (None, {"data": []})


_BROKEN = chunks(has_usage=False)[:1] + [
    {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    for text in ("It is ", "sk-pr", "oj-")
]


def _read(client: Any, *, leaves: bool = False) -> None:
    stream = _ask(client, stream=True)
    for number, _ in enumerate(stream, 1):
        if leaves and number == len(_BROKEN):
            stream.close()
            break


@pytest.mark.parametrize("way", ["breaks", "ends", "left", "error", "error and end"])
def test_a_stream_that_breaks_off_is_marked_and_loses_its_last_word(world: World, way: str) -> None:
    """It may be half a secret. However it came that there is no more."""
    error = [{"error": {"message": "Oh", "type": "server_error"}}] if "error" in way else []
    pieces = events([*_BROKEN, *error], has_done=way in ("error and end", "left"))
    answer = Answer(headers=EVENTS, pieces=pieces, is_chunked=True, breaks_off=way == "breaks")
    with opened(always(answer)) as client:
        world.wrap(client, content=True)
        with suppress(APIError, RemoteProtocolError):
            _read(client, leaves=way == "left")

    (line,) = world.contents()
    assert json.loads(line["answer"])[0]["choices"][0]["delta"]["content"] == "It is"
    assert (line["is_cut"], b"sk-pr" in world.content()) == (True, False)


def test_a_stream_that_ends_is_whole(world: World) -> None:
    """To its last word."""
    with opened(like_openai) as client:
        world.wrap(client, content=True)
        list(_ask(client, stream=True))

    assert "is_cut" not in world.contents()[0]


def test_refusals_are_kept(world: World) -> None:
    """They are what one wants to read."""
    with opened(always(error_answer(400, kind="invalid_request_error"))) as client:
        world.wrap(client, content=True)
        with pytest.raises(Exception, match="Refused with 400"):
            _ask(client)
    (line,) = world.contents()

    assert "Refused with 400." in line["answer"]


def test_a_secret_is_in_no_file_of_the_data_directory(world: World) -> None:
    """Neither one in a prompt, nor one that is streamed back in pieces, nor the key of the client."""
    echo = {**CHAT, "choices": [{"index": 0, "message": {"content": f"yours is {_SECRET}"}, "finish_reason": "stop"}]}
    with opened(always(json_answer(echo))) as client:
        world.wrap(client, content=True)
        _ask(client, messages=[{"role": "user", "content": f"my key is {_SECRET}, and {KEY}"}])

    assert _SECRET[8:].encode() not in world.content()
    assert KEY[8:].encode() not in world.content()
    assert world.content().count(b"[redacted]") == 3


def test_a_disk_that_takes_no_contents_harms_nobody(world: World) -> None:
    """The call is answered and recorded."""
    world.directory.mkdir(mode=0o700)
    (world.directory / "content").write_text("a file stands where the directory should")
    with opened(like_openai) as client:
        world.wrap(client, content=True)
        answer = _ask(client)

    assert answer.choices[0].message.content == "Paris."
    assert world.end()["status"] == 200


_PROGRAM = """
import os, signal, sys
from pathlib import Path
from tests.capture.world import World, like_openai, opened, MESSAGES
world = World(Path(sys.argv[1]))
with opened(like_openai) as client:
    world.wrap(client, content=True)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_contents_are_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    """A program killed in the next line loses nothing."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", _PROGRAM, str(tmp_path / "home")], env=environ, cwd=ROOT, check=False)
    (line,) = World(tmp_path / "home").contents()

    assert run.returncode == -signal.SIGKILL
    assert json.loads(line["answer"]) == CHAT


def test_of_a_form_the_fields_are_kept(world: World) -> None:
    """Redacted as all else; a file is told by its name, and is still there for the SDK to read."""
    with opened(always(json_answer({"created": 1, "data": []}))) as client:
        world.wrap(client, content=True)
        client.images.edit(
            model="gpt-image-1",
            prompt=f"A hat for {_SECRET}",
            image=[("one.png", b"first"), ("two.png", b"second")],
        )
        (line,) = world.contents()

    asked = json.loads(line["request"])
    assert asked["prompt"] == "A hat for [redacted]"
    assert asked["image[]"] == [{"file": "one.png"}, {"file": "two.png"}]
    assert b"first" not in world.content()
