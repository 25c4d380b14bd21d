"""What goes over a realtime socket is recorded. Runs with SDK 1.x, 2.x and 3.x."""

import asyncio
import gc
from typing import Any

import openai
import pytest
from websockets.exceptions import WebSocketException

import monitor
from tests.capture import socket_programs as programs
from tests.capture.socket_programs import (
    LIMITS,
    REALTIME,
    SESSION,
    created,
    done,
    ended,
    listen,
    operations,
    piece,
    talk,
)
from tests.capture.socket_server import HEAR, NEEDS_REALTIME, ON_SOCKETS, Hands, SocketServer, new_client, said, talking
from tests.capture.world import World

pytestmark = ON_SOCKETS


@NEEDS_REALTIME
def test_a_realtime_response_is_a_record(world: World, kind: type[Any]) -> None:
    """Model, ids, usage with its parts, and times of a response; the session itself is a record that costs nothing."""
    talk(kind, REALTIME, world)

    line = ended(world, "realtime")
    assert {name: line[name] for name in ("endpoint", "request_model", "response_model", "response_id")} == {
        "endpoint": "/realtime",
        "request_model": "gpt-realtime",
        "response_model": "gpt-realtime-2026-01-01",
        "response_id": "resp_1",
    }
    assert (line["conversation_id"], line["answer_status"], line["is_billable"]) == ("sess_1", "completed", True)
    assert (line["input_tokens"], line["output_tokens"], line["cache_read_input_tokens"]) == (132, 121, 64)
    assert (line["input_audio_tokens"], line["output_audio_tokens"]) == (13, 91)
    assert line["cache_read_audio_tokens"] == 4
    assert line["usage_source"] == "response"
    assert 0 <= line["time_to_first_chunk"] <= line["duration"]
    assert (line["method"], line["status"], line["is_streaming"]) == ("GET", 101, True)


@NEEDS_REALTIME
def test_the_connection_is_a_record_of_its_own(world: World, kind: type[Any]) -> None:
    """It has the status of the handshake and what its headers told; nothing is paid for it."""
    told = {"x-request-id": "req_ws", "openai-organization": "org-1", "openai-processing-ms": "12"}
    talk(kind, REALTIME, world, headers=told)

    line = ended(world, "connect")
    assert (line["status"], line.get("outcome", "completed")) == (101, "completed")
    assert (line["request_id"], line["billing_account_id"], line["server_duration"]) == ("req_ws", "org-1", 0.012)
    assert "is_billable" not in line
    assert line["conversation_id"] == "sess_1"


@NEEDS_REALTIME
def test_a_response_that_nobody_asked_for_counts_too(world: World, kind: type[Any]) -> None:
    """The server answers speech by itself, as often as it hears some."""
    frames = (created("a"), done("a"), created("b"), piece("b"), done("b"))
    listen(kind, frames, world, programs.realtime)

    assert operations(world) == ["realtime", "realtime", "connect"]
    assert [line["response_id"] for line in world.ends()[:2]] == ["a", "b"]


@NEEDS_REALTIME
def test_a_begin_line_stands_when_a_response_has_begun(world: World, kind: type[Any]) -> None:
    """So the death of the process leaves a response of unknown outcome, not nothing."""

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(programs.realtime(client).enter())
        await hands.got(connection.recv())
        assert [line["operation_name"] for line in world.begins()] == ["connect", "realtime"]
        assert world.ends() == []
        await hands.got(connection.close())

    with talking(kind, (created(),), world, stays=True) as (client, _):
        asyncio.run(run(client))

    assert {line["record_id"] for line in world.begins()} == {line["record_id"] for line in world.ends()}


@NEEDS_REALTIME
@pytest.mark.parametrize(
    ("status", "details", "expected"),
    [
        ("cancelled", {"reason": "turn_detected"}, ("completed", ["turn_detected"], None)),
        ("incomplete", {"reason": "max_output_tokens"}, ("completed", ["max_output_tokens"], None)),
        ("failed", {"error": {"type": "server_error", "code": "server_error"}}, ("failed", None, "server")),
    ],
)
def test_how_a_response_ended_is_told(
    world: World, kind: type[Any], status: str, details: Any, expected: tuple[object, ...]
) -> None:
    """A cancelled response is paid for as far as it came; a failed one says why."""
    listen(kind, (created(), done(status=status, details={"type": status, **details})), world, programs.realtime)

    line = ended(world, "realtime")
    assert (line.get("outcome", "completed"), line.get("finish_reasons"), line.get("error_class")) == expected
    assert (line["answer_status"], line["output_tokens"]) == (status, 121)


@NEEDS_REALTIME
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"type": "tokens", "input_tokens": 13, "output_tokens": 4, "input_token_details": {"audio_tokens": 13}}, 13),
        ({"type": "duration", "seconds": 3.5}, 3.5),
    ],
)
def test_a_transcription_of_the_input_is_a_charge_of_its_own(
    world: World, kind: type[Any], usage: Any, expected: float
) -> None:
    """It has a model of its own, from the session, and tells tokens or seconds."""
    item = {"event_id": "e", "item_id": "item_1"}
    frames = (
        said("session.updated", event_id="e", session=SESSION),
        said("input_audio_buffer.committed", **item),
        said(
            "conversation.item.input_audio_transcription.completed",
            **item,
            content_index=0,
            transcript="a",
            usage=usage,
        ),
    )
    listen(kind, frames, world, programs.realtime)

    line = ended(world, "transcription")
    assert (line["request_model"], line["response_id"]) == ("gpt-4o-mini-transcribe", "item_1")
    assert "response_model" not in line
    assert line["input_audio_tokens" if usage["type"] == "tokens" else "audio_seconds"] == expected
    assert line["conversation_id"] == "sess_1"
    assert line["duration"] >= 0


@NEEDS_REALTIME
def test_rate_limits_stand_in_the_next_record(world: World, kind: type[Any]) -> None:
    """They come as an event of their own."""
    frames = (created(), said("rate_limits.updated", event_id="e", rate_limits=LIMITS), done())
    listen(kind, frames, world, programs.realtime)

    line, session = world.ends()
    assert (line["requests_limit"], line["tokens_remaining"], line["tokens_reset"]) == (5000, 799000, 0.08)
    assert line["other_limits"]["remaining-input_images"] == 49
    assert "requests_limit" not in session


@NEEDS_REALTIME
def test_an_error_that_answers_a_request_is_a_failed_one(world: World, kind: type[Any]) -> None:
    """Nothing else will answer it."""
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": "No.", "param": "response"}
    talk(kind, (HEAR, said("error", event_id="e", error={**error, "event_id": None})), world)

    line = ended(world, "realtime")
    assert (line["outcome"], line["error_class"], line["error_code"]) == ("failed", "invalid_request", "invalid_value")


@NEEDS_REALTIME
def test_any_other_error_is_counted_with_the_connection(world: World, kind: type[Any]) -> None:
    """A session goes on after an error; the response that runs is not blamed."""
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": "No.", "event_id": "mine_7"}
    talk(kind, (HEAR, created(), said("error", event_id="e", error=error), done()), world)

    assert "outcome" not in ended(world, "realtime")
    assert ended(world, "connect")["tags"] == {"socket_errors": "1"}
    assert ended(world, "connect")["error_code"] == "invalid_value"


@NEEDS_REALTIME
@pytest.mark.parametrize("code", [None, 1011])
def test_a_connection_that_breaks_interrupts_what_runs(world: World, kind: type[Any], code: int | None) -> None:
    """Nobody will tell what the response has used."""
    listen(kind, (created(), piece()), world, programs.realtime, code=code)

    line = ended(world, "realtime")
    assert (line["outcome"], line["error_class"], line.get("usage_source")) == ("interrupted", "connection", None)
    assert ended(world, "connect")["outcome"] == "interrupted"
    assert ended(world, "connect").get("error_code") == (code and str(code))


@NEEDS_REALTIME
def test_closing_interrupts_what_runs(world: World, kind: type[Any]) -> None:
    """The program has left: the response is interrupted, by no fault; the connection is not."""
    with talking(kind, (HEAR, created()), world, stays=True) as (client, _):
        asyncio.run(_left_after(1, client))

    line = ended(world, "realtime")
    assert (line["outcome"], line.get("error_class")) == ("interrupted", None)
    assert "outcome" not in ended(world, "connect")


@NEEDS_REALTIME
def test_a_connection_that_is_forgotten_is_recorded(world: World, kind: type[Any]) -> None:
    """Nobody closed it, and nobody can any more."""
    with talking(kind, (HEAR, created(), done()), world, stays=True) as (client, _):
        asyncio.run(_left_after(2, client, closes=False))
        gc.collect()

    assert operations(world) == ["realtime", "connect"]
    assert ended(world, "connect")["outcome"] == "interrupted"


async def _left_after(count: int, client: Any, *, closes: bool = True) -> None:
    hands = Hands()
    connection = await hands.got(programs.realtime(client).enter())
    await hands.got(connection.send({"type": "response.create"}))
    for _ in range(count):
        await hands.got(connection.recv())
    if closes:
        await hands.got(connection.close())
    else:
        # The library's own thread and tasks hold the socket until it is closed from the other side.
        _cut(connection._connection)


def _cut(socket: Any) -> None:
    if hasattr(socket, "close_socket"):
        socket.close_socket()
        socket.recv_events_thread.join()
    else:
        socket.transport.abort()


@NEEDS_REALTIME
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, '{"error": {"type": "a", "code": "invalid_api_key"}}', ("authentication", "invalid_api_key")),
        (429, '{"error": {"type": "a", "code": "insufficient_quota"}}', ("quota", "insufficient_quota")),
        (502, "<html>Bad gateway</html>", ("server", None)),
    ],
)
def test_a_refused_handshake_is_a_failed_record(
    world: World, kind: type[Any], status: int, body: str, expected: tuple[object, ...]
) -> None:
    """It has the status and the error; the program gets its own exception."""
    with pytest.raises(WebSocketException):
        talk(kind, (), world, refuse=(status, body), headers={"x-request-id": "req_no"})

    line = world.end()
    assert (line["operation_name"], line["outcome"], line["status"]) == ("connect", "failed", status)
    assert (line["error_class"], line.get("error_code")) == expected
    assert (line["endpoint"], line["request_model"], line["request_id"]) == ("/realtime", "gpt-realtime", "req_no")


@NEEDS_REALTIME
def test_no_connection_is_a_failed_record(world: World, kind: type[Any]) -> None:
    """Nobody answered."""
    with SocketServer(()) as server:
        host = server.host
    client = new_client(kind, host, world)
    with pytest.raises(OSError, match=r"refused|[Cc]onnect"):
        asyncio.run(programs.ask_and_read_all(client, programs.realtime, Hands()))

    line = world.end()
    assert (line["outcome"], line["error_class"], line.get("status")) == ("failed", "connection", None)
    assert line["key_hint"] == "6789"


@NEEDS_REALTIME
def test_a_mistake_before_the_handshake_is_no_record(world: World, kind: type[Any]) -> None:
    """No server was asked anything."""
    with talking(kind, (), world) as (client, _):
        manager = client.realtime.connect(model="gpt-realtime", websocket_connection_options={"no_such_option": 1})
        with pytest.raises(TypeError):
            asyncio.run(_entered(manager))

    assert world.lines() == []


async def _entered(manager: Any) -> None:
    await Hands().got(manager.enter())


@NEEDS_REALTIME
def test_it_is_known_who_asked(world: World, kind: type[Any]) -> None:
    """Tags, call site, key and the like are as for other requests; a response has those of where it was asked for."""

    async def run(client: Any) -> None:
        hands = Hands()
        with monitor.tag(team="voice", line="7"):
            connection = await hands.got(programs.realtime(client).enter())
        with monitor.tag(feature="greeting"):
            await hands.got(connection.send({"type": "response.create"}))
        await hands.items(connection)
        await hands.got(connection.close())

    with SocketServer(REALTIME) as server:
        client = world.wrap(new_client(kind, server.host), service="phone", environment="test")
        asyncio.run(run(client))

    line = ended(world, "realtime")
    assert (line["team"], line["feature"], line["tags"]) == ("voice", "greeting", {"line": "7"})
    assert (line["service"], line["environment"], line["key_hint"]) == ("phone", "test", "6789")
    assert line["key_fingerprint"]
    assert line["sdk_version"] == openai.__version__
    assert "/capture/" in line["call_site"]
    assert "feature" not in ended(world, "connect")


@NEEDS_REALTIME
def test_a_block_is_told_what_its_sockets_spend(world: World, kind: type[Any]) -> None:
    """As it is of other requests; the connection is one of them."""
    pytest.importorskip("genai_prices")
    with monitor.track(settings=world.settings) as spend:
        talk(kind, REALTIME, world)

    assert (spend.requests, spend.input_tokens, spend.output_tokens, spend.pending) == (2, 132, 121, 0)


@NEEDS_REALTIME
def test_requests_that_no_server_answers_do_not_heap_up(world: World, kind: type[Any]) -> None:
    """The oldest is given up as interrupted; each has its record in the end."""
    count = 300

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(programs.realtime(client).enter())
        for _ in range(count):
            await hands.got(connection.send({"type": "response.create"}))
        assert len(world.ends()) == count - 256
        await hands.got(connection.close())

    with talking(kind, [HEAR] * count, world, stays=True) as (client, _):
        asyncio.run(run(client))

    assert operations(world).count("realtime") == count


@NEEDS_REALTIME
def test_copies_of_a_client_are_watched(world: World, kind: type[Any]) -> None:
    """They share the transport by which a wrapped client is known."""
    with talking(kind, REALTIME, world) as (client, _):
        asyncio.run(programs.ask_and_read_all(client.with_options(timeout=5), programs.realtime, Hands()))

    assert operations(world) == ["realtime", "connect"]


@NEEDS_REALTIME
def test_copies_with_another_http_client_are_watched(world: World, kind: type[Any]) -> None:
    """They are recorded as what they were made of."""
    with talking(kind, REALTIME) as (client, _):
        world.wrap(client, service="shop")
        made = client.copy(http_client=type(client._client)(verify=False))
        asyncio.run(programs.ask_and_read_all(made, programs.realtime, Hands()))

    assert operations(world) == ["realtime", "connect"]
    assert {line["service"] for line in world.ends()} == {"shop"}


@NEEDS_REALTIME
def test_clients_that_share_an_http_client_are_told_apart(world: World, kind: type[Any]) -> None:
    """A session is of the client that opened it, and its contents are kept as was said of that."""
    with talking(kind, REALTIME) as (client, _):
        world.wrap(client, service="first", content=True)
        second = kind(api_key="sk-second", base_url=client.base_url, http_client=client._client)
        world.wrap(second, service="second", content=False)
        asyncio.run(programs.ask_and_read_all(second, programs.realtime, Hands()))

    assert {line["service"] for line in world.ends()} == {"second"}
    assert world.contents() == []


@NEEDS_REALTIME
def test_other_clients_are_not_watched(world: World, kind: type[Any]) -> None:
    """One that was never wrapped, and one that is not any more."""
    with talking(kind, REALTIME, world) as (wrapped, _):
        monitor.unwrap(wrapped)
        asyncio.run(programs.ask_and_read_all(wrapped, programs.realtime, Hands()))
    with talking(kind, REALTIME) as (client, _):
        asyncio.run(programs.ask_and_read_all(client, programs.realtime, Hands()))

    assert world.lines() == []
