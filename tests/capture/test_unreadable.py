"""Answers that came and that no client can read: failures of their own kind, whose cost is not known."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.capture import unreadable
from monitor.capture.endpoints import Endpoint
from tests.capture import callers
from tests.capture.callers import see
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
    json_answer,
    new_client,
    opened,
)
from tests.cassettes.server import Answer, LoopbackServer

_BODY = json.dumps(CHAT).encode()
_NAMES = ("outcome", "error_class", "error_reason")
_FAILED = ("failed", "parse", "json")


def _said(end: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(end.get(name) for name in _NAMES)


@KINDS
@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (b"{oops", "JSONDecodeError"),
        (b"", "JSONDecodeError"),
        (_BODY[:80], "JSONDecodeError"),
        (b"<html>Bad gateway</html>", "JSONDecodeError"),
        (b'{"id":"' + b"\xff\xfe" * 9 + b'"', "UnicodeDecodeError"),
        (b"[" * 10_000, "RecursionError"),
    ],
    ids=["broken", "empty", "half", "HTML", "not UTF-8", "deep"],
)
def test_an_answer_that_is_no_json_is_a_failure(body: bytes, error_type: str, kind: Any, world: World) -> None:
    """The program gets an exception; what was used is not known, and was to be paid for."""
    with LoopbackServer(always(Answer(headers=JSON, pieces=(body,)))) as server:
        watched = see(callers.plain_call, world.wrap(new_client(kind, server)))

    end = world.end()
    assert error_type in str(watched)
    assert _said(end) == _FAILED
    assert (end["error_type"], end["status"], end["is_billable"]) == (error_type, 200, True)
    assert "usage_source" not in end


@pytest.mark.parametrize("body", [b"[1]", b"null", b'"text"', b"17", _BODY, _BODY.replace(b"14", b"NaN")])
def test_what_python_reads_is_no_failure(body: bytes, world: World) -> None:
    """The program gets it, whatever it is."""
    with opened(always(Answer(headers=JSON, pieces=(body,))), world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert _said(world.end()) == (None, None, None)


@pytest.mark.parametrize("content_type", ["text/html", "text/plain; charset=utf-8", "Application/JSON", None])
def test_text_is_no_failure(content_type: str | None, world: World) -> None:
    """Where the content type is none of JSON the SDK gives the text to the program."""
    headers = () if content_type is None else (("content-type", content_type),)
    with opened(always(Answer(headers=headers, pieces=(b"{oops",))), world) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=MESSAGES) == "{oops"

    assert _said(world.end()) == (None, None, None)


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_answer_to_a_deletion_is_none(status: int, world: World) -> None:
    """It says all that there is to say."""
    with opened(always(Answer(status=status, headers=JSON, pieces=(b"",))), world) as client:
        client.responses.delete("resp_1")

    assert _said(world.end()) == (None, None, None)


def test_words_that_were_spoken_are_no_json(world: World) -> None:
    """Some servers send them under the content type of JSON."""
    with opened(always(Answer(headers=JSON, pieces=(b"Hello.",))), world) as client:
        told = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"), response_format="text")

    assert (told, _said(world.end())) == ("Hello.", (None, None, None))


def test_what_was_not_kept_is_not_judged(world: World) -> None:
    """Too much to be looked at, or in an encoding that is not known here: nothing is wrong with it."""
    large = b'{"choices":[{"message":{"content":"%s"}}]}' % (b"x" * (65 * 2**20))
    for answer in (
        Answer(headers=JSON, pieces=(large,)),
        Answer(headers=(*JSON, ("content-encoding", "rot13")), pieces=(_BODY,)),
    ):
        with opened(always(answer), world) as client:
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert [_said(end) for end in world.ends()] == [(None, None, None)] * 2


def test_an_answer_that_was_packed_and_cut_cannot_be_read(world: World) -> None:
    """What can be unpacked of it is no JSON."""
    answer = Answer(headers=(*JSON, ("content-encoding", "gzip")), pieces=(gzip.compress(_BODY)[:60],))
    with opened(always(answer), world) as client, pytest.raises(ValueError, match="line 1"):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert _said(world.end()) == _FAILED


_GOOD = events(chunks(has_usage=False))
_TOLD = events(chunks(has_usage=True))
_BROKEN = {
    "short": b"data: {oops\n\n",
    "long": _GOOD[2][:-30] + b"\n\n",
    "no JSON": b"data: upstream connect error or disconnect/reset before headers\n\n",
    "not UTF-8": _GOOD[2].replace(b"ris", b"\xff\xfe"),
    "quiet": _GOOD[2].replace(b'"logprobs":null', b'"logprobs":nul'),
    "with returns": _GOOD[2][:-30] + b"\r\n\r\n",
}


@KINDS
@pytest.mark.parametrize("at", [0, 2, 4])
@pytest.mark.parametrize("broken", _BROKEN.values(), ids=_BROKEN)
def test_an_event_that_is_no_json_is_a_failure(broken: bytes, at: int, kind: Any, world: World) -> None:
    """The program gets an exception there; what the model had written by then is estimated."""
    answer = Answer(headers=EVENTS, pieces=(*_GOOD[:at], broken, *_GOOD[at:]), is_chunked=True)
    with LoopbackServer(always(answer)) as server:
        plain = see(callers.whole_stream, new_client(kind, server))
        watched = see(callers.whole_stream, world.wrap(new_client(kind, server)))

    end = world.end()
    assert watched == plain
    assert _said(end) == _FAILED
    assert end["usage_source"] == "estimated"


@pytest.mark.parametrize("at", [0, len(_TOLD) - 2], ids=["first", "usage"])
def test_what_comes_behind_a_broken_event_is_read(at: int, world: World) -> None:
    """It may have come in the same piece, and has the exact usage."""
    broken = b"data: {oops\n\n" if at == 0 else b'data: {"usage":{"prompt_tokens":\n\n'
    answer = Answer(headers=EVENTS, pieces=(b"".join((*_TOLD[:at], broken, *_TOLD[at:])),), is_chunked=True)
    with opened(always(answer), world) as client, pytest.raises(ValueError, match="line 1"):
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    end = world.end()
    assert _said(end) == _FAILED
    assert (end["usage_source"], end["input_tokens"]) == ("response", USAGE["prompt_tokens"])


def test_a_stream_that_the_program_leaves_is_no_failure(world: World) -> None:
    """All that came could be read."""
    with opened(always(Answer(headers=EVENTS, pieces=_GOOD, is_chunked=True)), world) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        next(iter(stream))
        stream.close()

    assert _said(world.end()) == ("interrupted", None, None)


def test_half_an_event_is_no_failure(world: World) -> None:
    """No client reads an event before its end has come: this stream was cut short."""
    pieces = (*_GOOD[:2], _GOOD[2][:60])
    with opened(always(Answer(headers=EVENTS, pieces=pieces, is_chunked=True)), world) as client:
        list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    assert _said(world.end()) == ("interrupted", None, None)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}, 400, ("invalid_request", "INVALID_ARGUMENT")),
        ({"code": "insufficient_quota", "type": "t"}, 429, ("quota", "t")),
        ({"code": 429, "message": "You exceeded your current quota.", "status": "X"}, 429, ("quota", "X")),
    ],
)
def test_an_error_in_a_list_is_read(body: object, status: int, said: tuple[str, str], world: World) -> None:
    """Google's server of this API puts its one error there."""
    with opened(always(json_answer([{"error": body}], status=status)), world) as client, pytest.raises(Exception):  # noqa: B017, PT011 - what is raised is another test's business
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    end = world.end()
    assert (end["error_class"], end["error_type"]) == said


@pytest.mark.parametrize("body", [b"", b"<html>", b"[", b"[]", b"[1]", b'[{"error":1}]', b"[" * 10_000, b'"x"'])
def test_a_refusal_that_says_nothing_is_named_by_its_status(body: bytes) -> None:
    """Whatever stands there."""
    endpoint = Endpoint(operation_name="chat", path="/chat/completions")

    assert unreadable.error_of_body(body, 502, "text/html", endpoint) is None


def _groq() -> Iterator[dict[str, Any]]:
    usage = {"queue_time": 0.01, "prompt_tokens": 31, "completion_tokens": 7, "total_tokens": 38}
    for number, chunk in enumerate(chunks(has_usage=False)):
        more = {"x_groq": {"id": "req_1"}} if number == 0 else {}
        is_last = chunk["choices"][0]["finish_reason"] is not None
        yield {**chunk, **({"x_groq": {"id": "req_1", "usage": usage}} if is_last else more)}


@KINDS
def test_the_usage_that_groq_puts_aside_is_read(kind: Any, world: World) -> None:
    """Its servers tell it in the last chunk, whether or not it is asked for."""
    answer = Answer(headers=EVENTS, pieces=events(list(_groq())), is_chunked=True)
    with LoopbackServer(always(answer)) as server:
        see(callers.whole_stream, world.wrap(new_client(kind, server)))

    end = world.end()
    assert (end["usage_source"], end["input_tokens"], end["output_tokens"]) == ("response", 31, 7)
