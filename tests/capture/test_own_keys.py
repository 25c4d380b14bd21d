"""The keys of a request itself, whatever they look like, are taken out of what is kept of it."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.capture.contents import ContentKeeper, ContentWriter
from monitor.capture.guarded import Guard
from monitor.capture.own_keys import own_keys
from monitor.capture.redaction import Redaction
from monitor.health import Health
from monitor.home import Home
from tests.capture.batch_files import a_line
from tests.capture.world import (
    CHAT,
    EVENTS,
    KEY,
    MESSAGES,
    World,
    always,
    async_client,
    events,
    json_answer,
    opened,
)
from tests.cassettes.server import Answer, LoopbackServer

_KEY = "0f3c9ad27b61e8845d"
_LOGIN = base64.b64encode(b"ann:" + _KEY.encode())


@pytest.mark.parametrize(
    ("headers", "path", "found"),
    [
        ([(b"Authorization", b"Bearer " + _KEY.encode())], b"/v1", (_KEY,)),
        ([(b"authorization", _KEY.encode())], b"/v1", (_KEY,)),
        ([(b"authorization", b"Basic " + _LOGIN)], b"/v1", (_KEY, _LOGIN.decode())),
        ([(b"api-key", _KEY.encode()), (b"x-goog-api-key", b"another-key")], b"/v1", (_KEY, "another-key")),
        ([(b"X-Gateway", b"Bearer " + _KEY.encode())], b"/v1", (_KEY,)),
        ([(b"cookie", f"a={_KEY}; b=2".encode())], b"/v1", (_KEY,)),
        ([], f"/v1?api-key={_KEY}&model=gpt-realtime".encode(), (_KEY,)),
        ([], b"/v1?sig=a%2Bbcdefgh", ("a%2Bbcdefgh", "a+bcdefgh")),
        ([(b"authorization", b"AWS4-HMAC-SHA256 Credential=a/b, Signature=0123456789")], b"/v1", ()),
        ([(b"authorization", b"Bearer EMPTY"), (b"content-type", b"application/json")], b"/v1?a=12345678", ()),
        ([(b"authorization", b"Basic %%"), (b"cookie", b"\xff")], b"?", ()),
    ],
)
def test_keys_are_found_in_headers_and_query(
    headers: list[tuple[bytes, bytes]], path: bytes, found: tuple[str, ...]
) -> None:
    """Words that every local server is given are none."""
    assert own_keys(headers, path) == found


@pytest.mark.parametrize("key", [_KEY, 'odd"key\\with/quotes', "with+and/and=", "ключ-secret"])
def test_a_key_is_taken_out_however_it_is_written(key: str) -> None:
    """In texts, in names and numbers, in JSON within a text, in an address."""
    redaction = Redaction(keys=(key,))
    value = {key: key, "a": [f"it is {key}."], "b": json.dumps({"k": key}), "c": json.dumps(json.dumps(key)) + "!"}

    assert key not in (shown := json.dumps(redaction.value(value)))
    assert json.dumps(key)[1:-1] not in shown
    assert Redaction(keys=("12345678",)).value({"n": 12345678, "m": 1}) == {"n": "[redacted]", "m": 1}


def _echo(text: str) -> dict[str, Any]:
    return {**CHAT, "choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}


def _ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "m", "messages": MESSAGES} | more)


def _chunks(key: str) -> list[dict[str, Any]]:
    texts = ["It is ", key[:5], key[5:], "."]
    return [{"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]


def test_a_key_that_is_echoed_is_in_no_file(world: World) -> None:
    """Neither in what was asked nor in the answer, whole or in pieces, of a form, a line of a batch, a refusal."""
    lines = "".join(f"{a_line(name, _echo(f'It is {_KEY}.'))}\n" for name in "ab")
    refusal = json_answer({"error": {"message": f"Invalid API key {_KEY}"}}, status=401)
    answers = iter(
        (
            json_answer(_echo(f"It is {_KEY}.")),
            Answer(headers=EVENTS, pieces=events(_chunks(_KEY)), is_chunked=True),
            Answer(headers=(("content-type", "application/octet-stream"),), pieces=(lines.encode(),)),
            json_answer({"text": f"It is {_KEY}."}),
            refusal,
        )
    )
    with opened(lambda _: next(answers), api_key=_KEY) as client:
        world.wrap(client, content=True)
        _ask(client, messages=[{"role": "user", "content": f"Mine is {_KEY}."}])
        list(_ask(client, stream=True))
        client.files.content("file-1").read()
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"), prompt=_KEY)
        with pytest.raises(Exception, match="Invalid API key"):
            _ask(client)

    assert _KEY.encode() not in world.content()
    assert ["[redacted]" in line["answer"] for line in world.contents()] == [True] * 6


def test_each_request_has_keys_of_its_own(world: World) -> None:
    """Copies of a client share what records them."""
    with opened(always(json_answer(_echo(f"{KEY[8:]} or {_KEY}")))) as client:
        world.wrap(client, content=True)
        _ask(client)
        _ask(client.with_options(api_key=_KEY))
        _ask(client)

    assert [_KEY in line["answer"] for line in world.contents()] == [True, False, True]


def test_a_client_whose_key_changes_is_known_by_each(world: World) -> None:
    """It gets a new one for each request."""
    keys = iter(f"token-number-{number}" for number in range(1_000))

    async def fresh() -> str:
        return next(keys)

    async def run() -> None:
        with LoopbackServer(lambda asked: json_answer(_echo(dict(asked.headers)["authorization"][7:]))) as server:
            async with async_client(server, api_key=fresh) as client:
                world.wrap(client, content=True)
                for _ in range(5):
                    await _ask(client)

    asyncio.run(run())
    assert [json.loads(line["answer"])["choices"][0]["message"]["content"] for line in world.contents()] == [
        "[redacted]"
    ] * 5


def test_few_keys_are_held(tmp_path: Path) -> None:
    """A program may have a new one for each request."""
    health = Health()
    writer = ContentWriter(Home(tmp_path / "home"), segment_size=2**20, health=health)
    keeper = ContentKeeper(writer, limit=1_000, redact=(), guard=Guard(health))
    for number in range(1_000):
        key = f"token-number-{number}"
        of_key = keeper.of([(b"authorization", f"Bearer {key}".encode())], b"/v1")
        assert of_key is not None
        assert of_key._redaction.text(f"{key} token-number-x") == "[redacted] token-number-x"

    assert len(keeper._by_keys) <= 256


def test_nothing_is_looked_for_where_nothing_is_kept(world: World) -> None:
    """Other clients pay nothing for it."""
    with opened(always(json_answer()), world) as client:
        _ask(client)
        assert client._client._transport.recorder.keeper is None

    assert not (world.directory / "content").exists()
