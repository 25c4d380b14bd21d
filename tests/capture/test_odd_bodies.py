"""Whatever a server answers, the program gets what the plain client would give it, and a record is written."""

import contextlib
import gzip
import json
import zlib
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot

from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.book import PriceBook
from tests.capture import callers
from tests.capture.callers import Caller, see
from tests.capture.world import (
    CHAT,
    EVENTS,
    JSON,
    KINDS,
    MESSAGES,
    USAGE,
    World,
    always,
    chunks,
    events,
    new_client,
    opened,
)
from tests.cassettes.server import Answer, LoopbackServer

_NESTED = 10_000


def _chat(**changed: object) -> bytes:
    return json.dumps({**CHAT, **changed}).encode()


def _usage(**changed: object) -> bytes:
    return _chat(usage={**USAGE, **changed})


def _raw_usage(text: str) -> bytes:
    return _chat(usage="HERE").replace(b'"HERE"', text.encode())


_DEEP = b"[" * _NESTED + b"]" * _NESTED
_ODD: dict[str, bytes] = {
    "choices of null": _chat(choices=[None]),
    "choices null": _chat(choices=None),
    "choices text": _chat(choices="none"),
    "choices of numbers": _chat(choices=[1, 2]),
    "message null": _chat(choices=[{"index": 0, "message": None, "finish_reason": "stop"}]),
    "finish reason a list": _chat(choices=[{"index": 0, "message": {}, "finish_reason": ["stop"]}]),
    "index a list": _chat(choices=[{"index": [], "message": {}, "finish_reason": "stop"}]),
    "usage text": _chat(usage="n/a"),
    "usage list": _chat(usage=[1]),
    "usage empty": _chat(usage={}),
    "usage null": _chat(usage=None),
    "details text": _usage(prompt_tokens_details="x"),
    "details list": _usage(completion_tokens_details=[1]),
    "counts as text": _usage(prompt_tokens="14"),
    "counts true": _usage(prompt_tokens=True),
    "counts huge": _usage(prompt_tokens=10**30),
    "counts large": _usage(prompt_tokens=4 * 10**18),
    "counts negative": _usage(prompt_tokens=-5),
    "counts broken": _usage(prompt_tokens=1.5),
    "counts NaN": _raw_usage('{"prompt_tokens":NaN,"completion_tokens":4}'),
    "counts infinite": _raw_usage('{"prompt_tokens":-Infinity,"completion_tokens":4}'),
    "counts 1e999": _raw_usage('{"prompt_tokens":1e999,"completion_tokens":4}'),
    "counts of 5000 digits": _raw_usage('{"prompt_tokens":%s,"completion_tokens":4}' % ("9" * 5000)),
    "id a number": _chat(id=17),
    "id a list": _chat(id=["x"]),
    "model null": _chat(model=None),
    "model an object": _chat(model={"name": "gpt-4o"}),
    "model very long": _chat(model="m" * 100_000),
    "model with odd letters": _chat(model="a\x00b\ud800c"),
    "tier a number": _chat(service_tier=1),
    "error null": _chat(error=None),
    "error text": _chat(error="no"),
    "error list": _chat(error=[{"code": 1}]),
    "names twice": _chat()[:-1] + b',"model":"second","usage":{"prompt_tokens":1}}',
    "not JSON": b"<html>Bad gateway</html>",
    "empty": b"",
    "list": b"[]",
    "list of objects": b'[{"error":{"message":"no","code":400}}]',
    "number": b"17",
    "text": b'"hello"',
    "null": b"null",
    "half of it": _chat()[:80],
    "rest behind it": _chat() + b"\n\n<!-- x -->",
    "BOM": b"\xef\xbb\xbf" + _chat(),
    "UTF-16": _chat().decode().encode("utf-16"),
    "not UTF-8": _chat().replace(b"Paris.", b"\xff\xfe\xc3"),
    "not UTF-8 model": _chat().replace(b"gpt-4o-2024", b"\xff\xfe\xc3"),
    "lone surrogate": _chat().replace(b"Paris.", b"\\ud800"),
    "control character": _chat().replace(b"Paris.", b"\x01"),
    "deep": _DEEP,
    "deep inside": _chat(extra="HERE").replace(b'"HERE"', _DEEP),
    "deep usage": _raw_usage(_DEEP.decode()),
    "10 MB": _chat(choices=[{"index": 0, "message": {"role": "assistant", "content": "x" * 10_000_000}}]),
}


@KINDS
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", _ODD.values(), ids=_ODD)
def test_an_odd_body_reaches_the_program_as_it_is(body: bytes, status: int, kind: Any, world: World) -> None:
    """Value or exception are those of the plain client, and there is one record with the status."""
    answer = Answer(status=status, headers=JSON, pieces=(body,))
    with LoopbackServer(always(answer)) as server:
        plain = see(callers.plain_call, new_client(kind, server))
        watched = see(callers.plain_call, world.wrap(new_client(kind, server)))

    assert watched == plain
    assert world.end()["status"] == status


def _streamed(*bodies: bytes) -> Answer:
    whole = [b"data: " + body + b"\n\n" for body in bodies]
    return Answer(headers=EVENTS, pieces=(*whole, b"data: [DONE]\n\n"), is_chunked=True)


@KINDS
@pytest.mark.parametrize("caller", [callers.whole_stream, callers.lines_of_a_streaming_response])
@pytest.mark.parametrize(
    "body", [body for name, body in _ODD.items() if name != "BOM"], ids=[n for n in _ODD if n != "BOM"]
)
def test_an_odd_chunk_reaches_the_program_as_it_is(body: bytes, caller: Caller, kind: Any, world: World) -> None:
    """A stream with an odd event in its middle gives the same chunks and the same exception."""
    good = [json.dumps(chunk).encode() for chunk in chunks(has_usage=False)]
    body = body.replace(b'"usage": null', b'"usage_": null').replace(b'"usage": {', b'"usage": {"x": 1, ')
    with LoopbackServer(always(_streamed(*good[:2], body, *good[2:]))) as server:
        plain = see(caller, new_client(kind, server))
        watched = see(caller, world.wrap(new_client(kind, server)))

    assert watched == plain
    assert world.end()["status"] == 200


_ENCODED: dict[str, tuple[str, bytes]] = {
    "gzip": ("gzip", gzip.compress(_chat())),
    "deflate": ("deflate", zlib.compress(_chat())),
    "bare deflate": ("deflate", zlib.compress(_chat())[2:-4]),
    "gzip cut short": ("gzip", gzip.compress(_chat())[:60]),
    "gzip spoilt": ("gzip", gzip.compress(_chat())[:40] + b"\xff" * 40),
    "gzip that is none": ("gzip", _chat()),
    "deflate that is none": ("deflate", _chat()),
    "unknown": ("rot13", _chat()),
    "identity": ("identity", _chat()),
    "two": ("gzip, gzip", gzip.compress(gzip.compress(_chat()))),
    "empty gzip": ("gzip", b""),
}


@KINDS
@pytest.mark.parametrize("caller", [callers.plain_call, callers.bytes_of_a_streaming_response])
@pytest.mark.parametrize(("encoding", "body"), _ENCODED.values(), ids=_ENCODED)
def test_an_encoded_body_is_decoded_by_the_client_alone(
    encoding: str, body: bytes, caller: Caller, kind: Any, world: World
) -> None:
    """The recorder decodes its own copy; the program's client still does its own work, or fails at it."""
    answer = Answer(headers=(*JSON, ("content-encoding", encoding)), pieces=(body,))
    with LoopbackServer(always(answer)) as server:
        plain = see(caller, new_client(kind, server))
        watched = see(caller, world.wrap(new_client(kind, server)))

    assert watched == plain
    assert len(world.ends()) == 1


@pytest.mark.parametrize("name", ["gzip", "deflate", "bare deflate", "identity", "two"])
def test_the_usage_of_an_encoded_body_is_read(name: str, world: World) -> None:
    """Every encoding that the client understands is understood by the recorder too."""
    encoding, body = _ENCODED[name]
    answer = Answer(headers=(*JSON, ("content-encoding", encoding)), pieces=(body[:20], body[20:]), is_chunked=True)
    with opened(always(answer), world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert world.end()["input_tokens"] == 14


@KINDS
@pytest.mark.parametrize("is_asked", [False, True])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip spoilt"])
def test_an_encoded_stream_comes_whole(encoding: str, is_asked: bool, kind: Any, world: World) -> None:
    """A server that encodes its stream though nobody asked for that: same chunks, or the client's own error."""
    caller = callers.stream_with_usage if is_asked else callers.whole_stream
    content = b"".join(events(chunks(has_usage=is_asked)))
    body = zlib.compress(content) if encoding == "deflate" else gzip.compress(content)
    if encoding == "gzip spoilt":
        body = body[:60] + b"\xff" * 90
    pieces = tuple(body[at : at + 50] for at in range(0, len(body), 50))
    answer = Answer(
        headers=(*EVENTS, ("content-encoding", encoding.removesuffix(" spoilt"))), pieces=pieces, is_chunked=True
    )
    with LoopbackServer(always(answer)) as server:
        plain = see(caller, new_client(kind, server))
        watched = see(caller, world.wrap(new_client(kind, server)))

    assert watched == plain
    end = world.end()
    assert end["is_streaming"]
    if encoding == "gzip spoilt":
        assert (end["outcome"], end["error_class"], end["error_reason"]) == ("failed", "parse", "encoding")


def test_the_encoded_bytes_reach_a_raw_reader_unchanged(world: World) -> None:
    """Who reads the raw bytes of a body gets what the server sent, still encoded."""
    body = gzip.compress(_chat())
    answer = Answer(headers=(*JSON, ("content-encoding", "gzip")), pieces=(body,))
    with opened(always(answer), world) as client, client._client.stream("GET", f"{client.base_url}models") as response:
        raw = b"".join(response.iter_raw())

    assert raw == body
    assert world.end()["input_tokens"] == 14


@pytest.mark.parametrize(
    ("usage", "recorded"),
    [
        ({**USAGE, "prompt_tokens": "14"}, (14, 4)),
        ({**USAGE, "prompt_tokens": "many"}, (None, 4)),
        ({**USAGE, "prompt_tokens": 10**30}, (None, 4)),
        ({**USAGE, "prompt_tokens": 4 * 10**18}, (None, 4)),
        ({**USAGE, "prompt_tokens": True}, (None, 4)),
        ({**USAGE, "prompt_tokens": 1.5}, (None, 4)),
        ({**USAGE, "prompt_tokens": 14.0}, (14, 4)),
        ({**USAGE, "prompt_tokens": -5}, (-5, 4)),
        ({**USAGE, "prompt_tokens_details": "x"}, (14, 4)),
        ("n/a", (None, None)),
        ([14, 4], (None, None)),
        (None, (None, None)),
    ],
)
def test_a_count_that_is_none_is_unknown(usage: object, recorded: tuple[object, object], world: World) -> None:
    """Only whole numbers of a size that can be are counts; the others beside them are still read."""
    with opened(always(Answer(headers=JSON, pieces=(_chat(usage=usage),))), world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    end = world.end()
    assert (end.get("input_tokens"), end.get("output_tokens")) == recorded
    assert end.get("usage_source", "none") == ("none" if recorded == (None, None) else "response")


@pytest.mark.parametrize("name", ["counts NaN", "counts infinite", "lone surrogate", "BOM", "UTF-16", "not UTF-8"])
def test_json_that_only_python_reads_is_read(name: str, world: World) -> None:
    """What the SDK can still read, the recorder reads too: id, model and the other counts."""
    with opened(always(Answer(headers=JSON, pieces=(_ODD[name],))), world) as client:
        try:
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        except UnicodeDecodeError:
            assert name == "not UTF-8"

    end = world.end()
    assert (end["response_id"], end["output_tokens"]) == ("chatcmpl-1", 4)


def test_every_odd_record_can_be_stored(world: World) -> None:
    """No body can make a record on which the drain gets stuck: each becomes a row, and none goes to quarantine."""
    left = iter(_ODD.values())
    with opened(lambda _: Answer(headers=JSON, pieces=(next(left),)), world) as client:
        for _ in _ODD:
            with contextlib.suppress(ValueError, RecursionError, TypeError):
                client.chat.completions.create(model="m\x00", messages=MESSAGES, user="\u2028")

    home = Home(world.directory)
    with Ledger.open(home.ledger) as ledger:
        stored = Drain(ledger, home.spool, PriceBook(get_snapshot().providers, "test"), Health()).run()
        with ledger.cursor() as cursor:
            quarantined = cursor.execute("select count(*) from quarantine").fetchall()
    assert stored == len(_ODD)
    assert quarantined == [(0,)]


def test_an_error_under_a_good_status_is_an_error(world: World) -> None:
    """Some servers refuse with status 200; the program gets that answer, the record says what it is."""
    body = json.dumps({"error": {"message": "no", "type": "invalid_request_error", "code": "unknown_parameter"}})
    with opened(always(Answer(headers=JSON, pieces=(body.encode(),))), world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    end = world.end()
    assert (end["outcome"], end["error_class"], end["error_code"]) == ("failed", "invalid_request", "unknown_parameter")


@pytest.mark.parametrize(
    "body",
    [
        b'{"object":"error","message":"no","type":"BadRequestError","code":40001}',
        b'{"error":"no","type":"BadRequestError","code":"40001"}',
    ],
)
def test_a_bare_error_is_read(body: bytes, world: World) -> None:
    """Servers that state type and code without an object around them are understood."""
    with opened(always(Answer(status=400, headers=JSON, pieces=(body,))), world) as client, pytest.raises(Exception):  # noqa: B017, PT011 - what is raised is another test's business
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    end = world.end()
    assert (end["error_type"], end["error_code"]) == ("BadRequestError", "40001")
