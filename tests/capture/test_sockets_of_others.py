"""What goes over the other sockets is recorded: the older realtime, responses, live and translation sessions."""

import asyncio
from typing import Any

import openai
import pytest
from websockets.exceptions import WebSocketException

from tests.capture import socket_programs as programs
from tests.capture.socket_programs import RESPONSES, created, done, ended, listen, operations, response_event, talk
from tests.capture.socket_server import (
    HEAR,
    NEEDS_BETA,
    NEEDS_LIVE,
    NEEDS_REALTIME,
    NEEDS_RESPONSES,
    ON_SOCKETS,
    Frame,
    Hands,
    SocketServer,
    said,
    talking,
)
from tests.capture.world import KEY, World

pytestmark = ON_SOCKETS


@NEEDS_BETA
def test_the_older_realtime_is_recorded(world: World, kind: type[Any]) -> None:
    """The beta has classes of its own and other names of fields."""
    session = {"id": "sess_B", "model": "gpt-4o-realtime", "input_audio_transcription": {"model": "whisper-1"}}
    item = {"event_id": "e", "item_id": "item_1", "content_index": 0, "transcript": "a"}
    frames = (
        said("session.created", event_id="e", session=session),
        HEAR,
        created(),
        said(
            "response.audio.delta",
            event_id="e",
            response_id="resp_1",
            item_id="i",
            output_index=0,
            content_index=0,
            delta="A",
        ),
        said("conversation.item.input_audio_transcription.completed", **item),
        done(),
    )
    talk(kind, frames, world, programs.beta_realtime)

    line = ended(world, "realtime")
    assert (line["response_model"], line["conversation_id"], line["input_tokens"]) == ("gpt-4o-realtime", "sess_B", 132)
    assert "time_to_first_chunk" in line
    assert ended(world, "transcription")["request_model"] == "whisper-1"


@NEEDS_REALTIME
def test_an_azure_deployment_is_the_model_that_was_asked_for(world: World, kind: type[Any]) -> None:
    """Azure names it elsewhere in the address, and takes the key in another header."""
    azure: type[Any] = openai.AzureOpenAI if kind is openai.OpenAI else openai.AsyncAzureOpenAI
    with SocketServer((created(), done())) as server:
        address = {"azure_endpoint": f"http://{server.host}", "websocket_base_url": f"ws://{server.host}/openai"}
        client = world.wrap(azure(api_key=KEY, api_version="2026-01-01", **address))
        asyncio.run(programs.read_all(client, lambda client: client.realtime.connect(model="my-deployment")))

    line = ended(world, "realtime")
    assert (line["request_model"], line["endpoint"], line["key_hint"]) == ("my-deployment", "/realtime", KEY[-4:])


@NEEDS_RESPONSES
def test_a_response_over_a_socket_is_a_chat(world: World, kind: type[Any]) -> None:
    """As a POST to the same path would be; it is on its way from when it was asked for."""

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(programs.responses(client).enter())
        event = {
            "type": "response.create",
            "model": "gpt-5",
            "input": "Hi",
            "service_tier": "flex",
            "safety_identifier": "u1",
        }
        await hands.got(connection.send(event))
        assert [line["operation_name"] for line in world.begins()] == ["connect", "chat"]
        await hands.items(connection)
        await hands.got(connection.close())

    with talking(kind, RESPONSES, world) as (client, _):
        asyncio.run(run(client))

    line = ended(world, "chat")
    assert (line["endpoint"], line["request_model"], line["response_model"]) == (
        "/responses",
        "gpt-5",
        "gpt-5-2026-01-01",
    )
    assert (line["input_tokens"], line["cache_read_input_tokens"], line["reasoning_output_tokens"]) == (36, 8, 2)
    assert (line["request_service_tier"], line["service_tier"], line["user"]) == ("flex", "default", "u1")
    assert (line["response_id"], line["answer_status"]) == ("resp_W1", "completed")
    assert 0 < line["time_to_first_chunk"] <= line["duration"]


@NEEDS_RESPONSES
def test_the_tools_of_a_response_are_counted(world: World, kind: type[Any]) -> None:
    """They are charged beside its tokens."""
    body: dict[str, Any] = {
        "tools": [{"type": "web_search"}],
        "output": [
            {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "a"}}
        ],
        "usage": programs.RESPONSES_USAGE,
        "status": "completed",
    }
    talk(kind, (HEAR, response_event("response.completed", **body)), world, programs.responses)

    assert ended(world, "chat")["tool_calls"] == {"web_search": 1}


@NEEDS_RESPONSES
def test_an_error_fails_the_response_of_its_lane(world: World, kind: type[Any]) -> None:
    """It has a status of its own; that the response failed may be told once more, and counts once."""
    error = {"type": "invalid_request_error", "code": "previous_response_not_found", "message": "No.", "param": None}
    frames = (
        HEAR,
        response_event("response.created", status="in_progress"),
        said("error", error=error, status=400),
        response_event("response.failed", status="failed", error={"code": "server_error", "message": "No."}),
    )
    talk(kind, frames, world, programs.responses)

    line = ended(world, "chat")
    assert (line["outcome"], line["status"], line["error_code"]) == ("failed", 400, "previous_response_not_found")


@NEEDS_RESPONSES
def test_an_error_without_a_type_is_named_by_its_status(world: World, kind: type[Any]) -> None:
    """As that of any other request is."""
    error = {"code": "previous_response_not_found", "message": "No."}
    talk(kind, (HEAR, said("error", error=error, status=400)), world, programs.responses)

    line = ended(world, "chat")
    assert (line["error_type"], line["error_code"]) == ("400", "previous_response_not_found")


@NEEDS_RESPONSES
def test_lanes_are_kept_apart(world: World, kind: type[Any]) -> None:
    """Two responses at once on one socket, each with its own usage."""

    async def run(client: Any) -> None:
        hands = Hands()
        connection = await hands.got(programs.responses(client).enter())
        for lane, model in (("one", "gpt-5"), ("two", "gpt-5-mini")):
            await hands.got(connection.send({"type": "response.create", "model": model, "stream_id": lane}))
        await hands.items(connection)
        await hands.got(connection.close())

    frames = (
        HEAR,
        HEAR,
        response_event("response.created", "two", id="b"),
        response_event("response.created", "one", id="a"),
        response_event("response.completed", "two", id="b", usage={"input_tokens": 2, "output_tokens": 2}),
        response_event("response.completed", "one", id="a", usage={"input_tokens": 1, "output_tokens": 1}),
    )
    with talking(kind, frames, world) as (client, _):
        asyncio.run(run(client))

    chats = [line for line in world.ends() if line["operation_name"] == "chat"]
    assert [(line["request_model"], line["input_tokens"]) for line in chats] == [("gpt-5-mini", 2), ("gpt-5", 1)]


@NEEDS_LIVE
def test_a_live_session_is_paid_by_its_length(world: World, kind: type[Any]) -> None:
    """The seconds are told again and again, as a sum: the last counts."""
    listen(kind, programs.LIVE, world, programs.live)

    line = world.end()
    assert (line["operation_name"], line["endpoint"], line["response_model"]) == (
        "live",
        "/live/sessions",
        "gpt-live-1",
    )
    assert (line["audio_seconds"], line["usage_source"], line["is_billable"]) == (12.5, "response", True)
    assert (line["conversation_id"], line["finish_reasons"]) == ("live_S1", ["expired"])


@NEEDS_LIVE
def test_a_live_session_that_breaks_keeps_what_was_told(world: World, kind: type[Any]) -> None:
    """The last sum before the connection was lost."""
    frames = (said("session.usage.updated", event_id="e", usage={"seconds": 5.0}),)
    listen(kind, frames, world, programs.live, code=None)

    assert (world.end()["outcome"], world.end()["audio_seconds"]) == ("interrupted", 5.0)


@NEEDS_LIVE
def test_what_a_live_session_delegates_has_records(world: World, kind: type[Any]) -> None:
    """Responses and decisions made on its behalf cost what they always cost."""

    def inside(frame: Frame) -> Frame:
        return said("response.event", event_id="e", event=frame["event"])

    decision = {"model": "gpt-decide-1", "usage": {"input_tokens": 16, "output_tokens": 1, "total_tokens": 17}}
    frames = (
        said("session.started", event_id="e", session={"id": "live_S2", "model": "gpt-live-1"}),
        *(inside(frame) for frame in RESPONSES[1:]),
        said("decision.event", event_id="e", event={"type": "decision.completed", "decision": decision}),
    )
    listen(kind, frames, world, programs.live)

    chat, decided = ended(world, "chat"), ended(world, "decision")
    assert (chat["endpoint"], chat["response_model"], chat["input_tokens"]) == ("/responses", "gpt-5-2026-01-01", 36)
    assert (decided["response_model"], decided["input_tokens"]) == ("gpt-decide-1", 16)
    assert {chat["conversation_id"], decided["conversation_id"]} == {"live_S2"}
    assert "time_to_first_chunk" in chat


@NEEDS_LIVE
def test_listening_in_on_a_live_session_is_not_paid_twice(world: World, kind: type[Any]) -> None:
    """Its length belongs to whoever began it."""
    frames = (said("session.usage.updated", event_id="e", usage={"seconds": 5.0}),)
    listen(kind, frames, world, lambda client: client.live.sideband.connect(session_id="live_S3"))

    line = world.end()
    assert (line["operation_name"], line["endpoint"]) == ("live", "/live/sessions/{id}/attach")
    assert (line["usage_source"], line["audio_seconds"]) == ("late", 5.0)


@NEEDS_LIVE
def test_a_translation_session_is_recorded(world: World, kind: type[Any]) -> None:
    """It is paid by time, which no event tells."""
    frames = (said("session.created", event_id="e", session={"id": "sess_T", "model": "gpt-realtime-translate"}),)
    listen(kind, frames, world, lambda client: client.realtime.translations.connect(model="gpt-realtime-translate"))

    line = world.end()
    assert (line["operation_name"], line["endpoint"]) == ("translation", "/realtime/translations")
    assert (line["request_model"], line["is_billable"], line.get("usage_source")) == (
        "gpt-realtime-translate",
        True,
        None,
    )


@NEEDS_LIVE
def test_a_connection_that_is_made_again_is_another_session(world: World, kind: type[Any]) -> None:
    """Each handshake is a record; the work of both is watched."""
    with talking(kind, (created("a"), done("a")), world, code=1012) as (client, heard):
        left = [None, {"abort": True}]

        def connect(client: Any) -> Any:
            return client.realtime.connect(model="m", on_reconnecting=lambda _: left.pop(0), initial_delay=0.001)

        with pytest.raises(WebSocketException):
            asyncio.run(programs.read_all(client, connect))

    assert len(heard.paths) == 2
    assert operations(world) == ["realtime", "connect"] * 2
