"""Servers that refuse to tell the usage of a stream: the caller gets his stream, however they refuse."""

import contextlib
import gzip
import json
from typing import Any

import openai
import pytest

from tests.capture import callers
from tests.capture.callers import see
from tests.capture.world import (
    EVENTS,
    JSON,
    KINDS,
    MESSAGES,
    World,
    always,
    chunks,
    error_answer,
    events,
    json_answer,
    like_openai,
    new_client,
    opened,
    options_of,
)
from tests.cassettes.server import Answer, Asked, LoopbackServer


def _unknowing(status: int, *, is_refusing_all: bool = False) -> Any:
    """A server that does not know `stream_options`."""

    def answer(asked: Asked) -> Answer:
        if is_refusing_all or b"stream_options" in asked.body:
            body = json.dumps(
                {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}
            )
            return Answer(status=status, headers=JSON, pieces=(body.encode(),))
        return Answer(headers=EVENTS, pieces=events(chunks(has_usage=False)), is_chunked=True)

    return answer


@KINDS
@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_server_that_refuses_the_option_is_asked_again(status: int, kind: Any, world: World) -> None:
    """The caller never sees the refusal of something he did not send; the record is one, and completed."""
    with LoopbackServer(_unknowing(status)) as server:
        plain_seen = see(callers.whole_stream, new_client(kind, server))
        watched = see(callers.whole_stream, world.wrap(new_client(kind, server)))
        sent = [options_of(asked) for asked in server.asked]

    assert watched == plain_seen
    assert sent == [None, {"include_usage": True}, None]
    end = world.end()
    assert (end.get("outcome", "completed"), end["status"], end.get("error_class")) == ("completed", 200, None)


def test_a_server_that_refused_is_not_asked_a_second_time(world: World) -> None:
    """The refusal is remembered: later streams go out as they are."""
    with opened(_unknowing(400), world) as client:
        for _ in range(2):
            list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        sent = [options_of(asked) for asked in client.server.asked]

    assert sent == [{"include_usage": True}, None, None]


def _refusing(refusal: Answer, *, model: str | None = None) -> Any:
    """A server that answers so where it is asked for the usage, of any or of one model."""

    def answer(asked: Asked) -> Answer:
        body = json.loads(asked.body)
        if body.get("stream_options") and model in {None, body["model"]}:
            return refusal
        return Answer(headers=EVENTS, pieces=events(chunks(has_usage="stream_options" in body)), is_chunked=True)

    return answer


def _error(message: str, status: int, **more: Any) -> Answer:
    return json_answer({"error": {"message": message, **more}}, status=status)


_SPOKEN = b'{"error":{"message":"stream_options"}}'
_REFUSALS = {
    "named, 403": _error("stream_options is not allowed", 403),
    "named, 405": _error("stream_options is not allowed", 405),
    "named, 500": _error("unexpected stream_options", 500),
    "named, 501": _error("stream_options are unsupported", 501),
    "compressed": Answer(status=400, headers=(*JSON, ("content-encoding", "gzip")), pieces=(gzip.compress(_SPOKEN),)),
    "unnamed": _error("unknown field in request body", 400),
    "empty": Answer(status=400, headers=JSON),
}


@KINDS
@pytest.mark.parametrize("refusal", _REFUSALS.values(), ids=_REFUSALS)
def test_however_a_server_refuses_the_caller_gets_his_stream(refusal: Answer, kind: Any, world: World) -> None:
    """Servers of all kinds are behind a base address, and many name no field."""
    with LoopbackServer(_refusing(refusal)) as server:
        plain_seen = see(callers.whole_stream, new_client(kind, server))
        watched = see(callers.whole_stream, world.wrap(new_client(kind, server)))

    assert watched == plain_seen
    assert world.end().get("outcome", "completed") == "completed"


def _sent(client: Any, **asked: Any) -> Any:
    """What went out for a stream, and what its record has for input."""
    before = len(client.server.asked)
    with contextlib.suppress(openai.APIStatusError):
        list(client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES, "stream": True, **asked}))
    return [options_of(one) for one in client.server.asked[before:]]


def test_a_model_that_refuses_leaves_the_others_exact(world: World) -> None:
    """A gateway has models of many makers behind one host."""
    with opened(_refusing(_error("stream_options: no", 400), model="small"), world) as client:
        sent = [_sent(client), _sent(client, model="small"), _sent(client, model="small"), _sent(client)]

    asked = {"include_usage": True}
    assert sent == [[asked], [asked, None], [None], [asked]]


def test_a_mistake_of_the_callers_own_is_no_refusal(world: World) -> None:
    """His next streams are exact still."""

    def answer(asked: Asked) -> Answer:
        if "wrong" in (options_of(asked) or {}):
            return _error("Unknown parameter: 'stream_options.wrong'.", 400, param="stream_options.wrong")
        return like_openai(asked)

    with opened(answer, world) as client:
        _sent(client, stream_options={"wrong": 1})
        assert _sent(client) == [{"include_usage": True}]


def test_an_unclear_refusal_is_doubted_three_times_only(world: World) -> None:
    """A program that asks in vain is not slowed for ever."""
    with opened(always(_error("unknown thing", 400)), world) as client:
        counts = [len(_sent(client)) for _ in range(5)]

    assert counts == [2, 2, 2, 1, 1]


def test_where_the_option_was_taken_an_unclear_refusal_is_the_callers_own(world: World) -> None:
    """The server has shown that it knows the option."""

    def answer(asked: Asked) -> Answer:
        return like_openai(asked) if json.loads(asked.body)["model"] == "gpt-4o" else _error("unsupported model", 400)

    with opened(answer, world) as client:
        counts = [len(_sent(client)), len(_sent(client, model="no-model"))]

    assert counts == [1, 1]


@KINDS
def test_other_refusals_reach_the_caller(kind: Any, world: World) -> None:
    """A 400 for another reason is the caller's own, unchanged, after one request."""
    answer = error_answer(400, code="context_length_exceeded", kind="invalid_request_error")
    with LoopbackServer(always(answer)) as server:
        plain_seen = see(callers.whole_stream, new_client(kind, server))
        watched = see(callers.whole_stream, world.wrap(new_client(kind, server)))
        count = len(server.asked)

    assert watched == plain_seen
    assert count == 2
    assert world.end()["error_code"] == "context_length_exceeded"


@KINDS
def test_a_server_that_refuses_both_ways_is_believed(kind: Any, world: World) -> None:
    """When the request without the option is refused too, that refusal is what the caller gets."""
    with LoopbackServer(_unknowing(400, is_refusing_all=True)) as server:
        plain_seen = see(callers.whole_stream, new_client(kind, server))
        watched = see(callers.whole_stream, world.wrap(new_client(kind, server)))

    assert watched == plain_seen
    assert world.end()["outcome"] == "failed"
