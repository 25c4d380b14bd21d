"""A program cannot tell whether its client is watched."""

import asyncio
import gc
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.capture import callers
from tests.capture.callers import CALLERS, Caller, Seen, see
from tests.capture.world import (
    CHAT,
    EVENTS,
    KINDS,
    MESSAGES,
    World,
    always,
    async_client,
    chunks,
    error_answer,
    events,
    in_turn,
    json_answer,
    like_openai,
    new_client,
    opened,
)
from tests.cassettes.server import Answer, Asked, LoopbackServer

Answering = Callable[[], Callable[[Asked], Answer]]
"""Makes the server's behaviour anew: some answers come in turn."""


# The SDK prints this for an async stream that is left, watched or not.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def _requests(asked: Sequence[Asked]) -> list[object]:
    """What the server sees of requests, but for what asking for the usage changes."""
    seen: list[object] = []
    for request in asked:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("host", "content-length", "accept-encoding")
        }
        body = json.loads(request.body) if headers.get("content-type") == "application/json" else len(request.body)
        if isinstance(body, dict):
            body.pop("stream_options", None)
        if str(headers.get("content-type")).startswith("multipart/"):
            headers["content-type"] = "multipart/form-data"
        seen.append((request.method, request.target, headers, body))
    return seen


def _both(
    caller: Caller, kind: Any, answering: Answering, world: World, **named: Any
) -> list[tuple[Seen, list[object]]]:
    """What the program and the server see, first unwatched, then watched."""
    found = []
    for is_watched in (False, True):
        with LoopbackServer(answering()) as server:
            client = new_client(kind, server, **named)
            seen = see(caller, world.wrap(client) if is_watched else client)
            if is_watched and len(world.ends()) < len(server.asked):
                gc.collect()  # a stream that nobody holds any more is recorded when it is collected
            found.append((seen, _requests(server.asked)))
    return found


@KINDS
@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.__name__)
def test_every_way_to_call_looks_the_same(caller: Caller, kind: Any, world: World) -> None:
    """Values, types, headers and chunks are the same, and so is what the server is sent."""
    plain, watched = _both(caller, kind, lambda: like_openai, world)

    assert watched == plain
    assert len(world.ends()) == len(plain[1])


@KINDS
def test_forms_are_sent_and_answered_the_same(kind: Any, world: World) -> None:
    """A multipart body is not read, only passed on; its model is known all the same."""
    plain, watched = _both(callers.form, kind, lambda: always(json_answer({"text": "Hallo."})), world)

    assert watched == plain
    assert world.end()["request_model"] == "whisper-1"


_ANSWERS: dict[str, Answering] = {
    "400": lambda: always(error_answer(400, code="context_length_exceeded", kind="invalid_request_error")),
    "401": lambda: always(error_answer(401, code="invalid_api_key", kind="invalid_request_error")),
    "403": lambda: always(error_answer(403)),
    "404": lambda: always(error_answer(404, code="model_not_found", kind="invalid_request_error")),
    "409": lambda: always(error_answer(409)),
    "413": lambda: always(error_answer(413)),
    "422": lambda: always(error_answer(422)),
    "429": lambda: always(error_answer(429, code="rate_limit_exceeded", kind="tokens")),
    "500": lambda: always(error_answer(500)),
    "502 html": lambda: always(Answer(status=502, headers=(("content-type", "text/html"),), pieces=(b"<html>",))),
    "503 empty": lambda: always(Answer(status=503)),
    "204": lambda: always(Answer(status=204)),
    "no answer": lambda: always(Answer(hangs_up=True)),
    "cut body": lambda: always(
        Answer(headers=EVENTS, pieces=events(chunks(has_usage=False))[:3], breaks_off=True, missing=9)
    ),
    "cut chunks": lambda: always(
        Answer(headers=EVENTS, pieces=events(chunks(has_usage=False))[:3], is_chunked=True, breaks_off=True)
    ),
    "no end marker": lambda: always(
        Answer(headers=EVENTS, pieces=events(chunks(has_usage=False), has_done=False), is_chunked=True)
    ),
    "error in a stream": lambda: always(
        Answer(
            headers=EVENTS,
            pieces=events([*chunks(has_usage=False)[:2], {"error": {"message": "no", "code": "server_error"}}]),
            is_chunked=True,
        )
    ),
    "no stream though asked": lambda: always(json_answer()),
    "stream that is called JSON": lambda: always(
        Answer(headers=(("content-type", "application/json"),), pieces=events(chunks(has_usage=False)), is_chunked=True)
    ),
}


@KINDS
@pytest.mark.parametrize("caller", [callers.plain_call, callers.whole_stream, callers.lines_of_a_streaming_response])
@pytest.mark.parametrize("answering", _ANSWERS.values(), ids=_ANSWERS)
def test_every_failure_looks_the_same(caller: Caller, answering: Answering, kind: Any, world: World) -> None:
    """Exceptions have the same class, text, status, code, body, request id and cause."""
    plain, watched = _both(caller, kind, answering, world)

    assert watched == plain
    assert len(world.ends()) == 1


@KINDS
@pytest.mark.parametrize(
    "answers",
    [
        [error_answer(500, retry_after_ms="1"), json_answer()],
        [error_answer(429, retry_after_ms="1"), error_answer(503, retry_after_ms="1"), json_answer()],
        [error_answer(429, retry_after_ms="1")] * 3,
        [error_answer(400), json_answer()],
        [error_answer(429, x_should_retry="false"), json_answer()],
        [Answer(hangs_up=True), json_answer()],
    ],
    ids=["once", "twice", "in vain", "never", "forbidden", "connection"],
)
def test_retries_look_the_same(answers: list[Answer], kind: Any, world: World) -> None:
    """The server gets the same number of requests with the same retry counts; each is a record of one call."""
    plain, watched = _both(callers.plain_call, kind, lambda: in_turn(*answers), world, max_retries=2)

    assert watched == plain
    ends = world.ends()
    assert [end["attempt"] for end in ends] == list(range(len(plain[1])))
    assert len({end["call_id"] for end in ends}) == 1


@KINDS
def test_a_timeout_is_the_sdks_own(kind: Any, world: World) -> None:
    """A server that says nothing in time: `APITimeoutError`, and a failed record of the class timeout."""
    plain, watched = _both(callers.plain_call, kind, lambda: always(Answer(stalls=True, missing=9)), world, timeout=0.2)

    assert watched == plain
    assert "APITimeoutError" in str(plain[0])
    assert world.end()["error_class"] == "timeout"


@KINDS
def test_a_stream_that_stalls_times_out_the_same(kind: Any, world: World) -> None:
    """A stream that stops in the middle raises the same, and the record says interrupted."""
    answer = Answer(headers=EVENTS, pieces=events(chunks(has_usage=False))[:2], is_chunked=True, stalls=True)

    plain, watched = _both(callers.whole_stream, kind, lambda: always(answer), world, timeout=0.2)

    assert watched == plain
    assert world.end()["outcome"] == "interrupted"


def test_chunks_come_as_they_are_sent(world: World) -> None:
    """The wrapper holds no chunk back: with the server silent after the second, two can be read."""
    answer = Answer(headers=EVENTS, pieces=events(chunks(has_usage=False))[:2], is_chunked=True, stalls=True)
    with opened(always(answer), world) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)

        first, second = next(stream), next(stream)
        stream.close()

        assert client.server.left.wait(10)
    assert (first.choices[0].delta.content, second.choices[0].delta.content) == ("", "Pa")


def test_a_stream_left_by_break_is_recorded_when_it_goes(world: World) -> None:
    """Who breaks out of the loop and forgets the stream leaves an interrupted record."""
    with opened(like_openai, world) as client:
        for _ in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
            break
        gc.collect()

        assert world.end()["outcome"] == "interrupted"
        assert world.end()["response_model"] == "gpt-4o-2024-08-06"


def test_an_unread_stream_is_recorded_when_it_goes(world: World) -> None:
    """A stream that nobody ever read is recorded when it is collected."""
    with opened(like_openai, world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        gc.collect()

        assert world.end()["outcome"] == "interrupted"


def test_an_unread_body_has_its_headers_recorded(world: World) -> None:
    """`with_streaming_response` left unread: status and request id are known, usage is not."""
    with opened(like_openai, world) as client:
        with client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=MESSAGES):
            pass

        end = world.end()
    assert (end["outcome"], end["status"], end["request_id"]) == ("interrupted", 200, "req_test")
    assert "usage_source" not in end


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_cancelled_task_stays_cancelled(is_stream: bool, world: World) -> None:
    """Cancelling a task in the middle of its call raises `CancelledError` there, and is recorded as cancelled."""
    answer = Answer(
        headers=EVENTS,
        pieces=events(chunks(has_usage=False))[:1],
        is_chunked=True,
        stalls=is_stream,
        is_silent=not is_stream,
    )

    async def call(client: AsyncOpenAI, reached: asyncio.Event) -> None:
        if is_stream:
            async for _ in await client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
                reached.set()
        else:
            await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    async def run(server: LoopbackServer) -> bool:
        async with async_client(server, world) as client:
            reached = asyncio.Event()
            task = asyncio.create_task(call(client, reached))
            if is_stream:
                await asyncio.wait_for(reached.wait(), 10)
            else:
                while not server.asked:
                    await asyncio.sleep(0.005)
            task.cancel()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                await asyncio.wait([task])
            return task.cancelled()

    with LoopbackServer(always(answer)) as server:
        is_cancelled = asyncio.run(run(server))
    gc.collect()

    assert is_cancelled
    assert world.end()["outcome"] == ("interrupted" if is_stream else "failed")
    if not is_stream:
        assert world.end()["error_class"] == "cancelled"


def test_a_call_that_is_not_made_is_not_recorded(world: World) -> None:
    """What the SDK refuses before it sends anything is no request."""
    with opened(like_openai, world) as client, pytest.raises(TypeError):
        client.chat.completions.create(model="gpt-4o")

    assert world.lines() == []


def test_a_fault_of_the_recorder_stays_inside(world: World) -> None:
    """With the data directory gone in the middle of its work the program goes on as if nothing were."""
    with opened(like_openai, world) as client:
        spool = world.directory / "spool"
        spool.rmdir()
        spool.write_text("in the way")

        answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert answer.id == CHAT["id"]


def test_an_event_hook_sees_the_same_request(world: World) -> None:
    """Hooks of the HTTP client run once a request, and see the body as the program sent it."""
    seen: list[bytes] = []
    with opened(like_openai, world) as client:
        client._client.event_hooks = {"request": [lambda request: seen.append(request.content)]}
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        found = list(stream)

        assert [b"stream_options" in content for content in seen] == [False]
        assert b"stream_options" not in stream.response.request.content
    assert len(found) == len(chunks(has_usage=False))


def test_the_error_of_a_refusal_can_be_raised_again(world: World) -> None:
    """The exception still holds a response whose body can be read."""
    with opened(always(error_answer(404, code="model_not_found")), world) as client:
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("nothing")

        assert caught.value.response.json()["error"]["code"] == "model_not_found"
