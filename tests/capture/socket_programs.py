"""What programs do with sockets, written once for sync and async, and the conversations they have."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection as SyncConnection

from tests.capture.socket_server import HEAR, Frame, Hands, said, talking
from tests.capture.world import World

Connect = Callable[[Any], Any]
Program = Callable[[Any, Connect, Hands], Coroutine[Any, Any, list[object]]]

SAMPLES: Final = Path(__file__).parents[2].parent / "shared" / "facts" / "samples"

USAGE: Final = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}
SESSION: Final = {
    "id": "sess_1",
    "type": "realtime",
    "model": "gpt-realtime-2026-01-01",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
}
LIMITS: Final = [
    {"name": "requests", "limit": 5000, "remaining": 4999, "reset_seconds": 0.012},
    {"name": "tokens", "limit": 800000, "remaining": 799000, "reset_seconds": 0.08},
    {"name": "input_images", "limit": 50, "remaining": 49, "reset_seconds": 2},
]


def created(name: str = "resp_1") -> Frame:
    return said(
        "response.created", event_id="e1", response={"id": name, "object": "realtime.response", "status": "in_progress"}
    )


def piece(name: str = "resp_1") -> Frame:
    where = {"item_id": "i", "output_index": 0, "content_index": 0}
    return said("response.output_audio.delta", event_id="e2", response_id=name, **where, delta="UklGRg" * 500)


def transcribed(text: str, name: str = "resp_1") -> Frame:
    """A piece of what is spoken, as text."""
    where = {"item_id": "i", "output_index": 0, "content_index": 0}
    return said("response.output_audio_transcript.delta", event_id="e4", response_id=name, **where, delta=text)


def done(name: str = "resp_1", status: str = "completed", usage: Any = USAGE, details: Any = None) -> Frame:
    response = {"id": name, "object": "realtime.response", "status": status, "status_details": details, "output": []}
    return said("response.done", event_id="e3", response={**response, "conversation_id": "conv_1", "usage": usage})


REALTIME: Final = (said("session.created", event_id="e0", session=SESSION), HEAR, created(), piece(), piece(), done())

_BODY: Final = {
    "id": "resp_W1",
    "object": "response",
    "created_at": 1795168800,
    "model": "gpt-5-2026-01-01",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
RESPONSES_USAGE: Final = {
    "input_tokens": 36,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 45,
}


def response_event(kind: str, lane: str | None = None, **more: Any) -> Frame:
    """An event of /responses that holds the response."""
    return said(kind, sequence_number=1, response={**_BODY, **more}, **({"stream_id": lane} if lane else {}))


RESPONSES: Final = (
    HEAR,
    response_event("response.created", status="in_progress"),
    said("response.output_text.delta", item_id="i", output_index=0, content_index=0, delta="Hi", sequence_number=2),
    response_event("response.completed", status="completed", usage=RESPONSES_USAGE, service_tier="default"),
)
LIVE: Final = (
    said("session.started", event_id="e", session={"id": "live_S1", "model": "gpt-live-1", "status": "active"}),
    said("session.usage.updated", event_id="e", usage={"seconds": 5.0}),
    said("session.closed", event_id="e", reason="expired", usage={"seconds": 12.5}, session={"id": "live_S1"}),
)


def realtime(client: Any) -> Any:
    return client.realtime.connect(model="gpt-realtime")


def beta_realtime(client: Any) -> Any:
    return client.beta.realtime.connect(model="gpt-realtime")


def responses(client: Any) -> Any:
    return client.responses.connect()


def live(client: Any) -> Any:
    return client.live.connect()


def sample(name: str) -> list[Frame]:
    """The frames of a sample."""
    frames: list[Frame] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["frames"]
    return frames


async def ask_and_read_all(client: Any, connect: Connect, hands: Hands) -> list[object]:
    """Asks for a response and iterates to the end."""
    connection = await hands.got(connect(client).enter())
    await hands.got(connection.send({"type": "response.create"}))
    found = await hands.items(connection)
    await hands.got(connection.close())
    return [type(connection).__name__, *found]


async def read_one_by_one(client: Any, connect: Connect, hands: Hands) -> list[object]:
    """Reads with each of the ways to read, to the error at the end."""
    connection = await hands.got(connect(client).enter())
    await hands.got(connection.send({"type": "response.create"}))
    found: list[object] = [await hands.got(connection.recv())]
    data = await hands.got(connection.recv_bytes())
    found += [data, connection.parse_event(data)]
    try:
        for _ in range(10):
            found.append(await hands.got(connection.recv()))
    except Exception as error:  # noqa: BLE001 - what it is, is compared
        found += [type(error), str(error)]
    await hands.got(connection.close())
    return found


async def read_the_socket(client: Any, connect: Connect, hands: Hands) -> list[object]:
    """Goes behind the SDK: reads the socket itself, whole and piece by piece."""
    connection = await hands.got(connect(client).enter())
    socket = connection._connection
    await hands.got(socket.send('{"type": "response.create"}'))
    found: list[object] = [await hands.got(socket.recv()), await hands.items(socket.recv_streaming())]
    found += await hands.items(socket)
    found += [repr(type(socket)), isinstance(socket, SyncConnection | AsyncConnection), socket.close_code]
    await hands.got(socket.close())
    return found


def _enough() -> None:
    raise LookupError("enough")


async def leave_in_the_middle(client: Any, connect: Connect, hands: Hands) -> list[object]:
    """Reads a little inside a block, and leaves by an exception of its own."""
    found: list[object] = []
    manager = connect(client)
    try:
        if hasattr(manager, "__aenter__"):
            async with manager as connection:
                await connection.send({"type": "response.create"})
                found += [await connection.recv(), await connection.recv()]
                _enough()
        with manager as connection:
            connection.send({"type": "response.create"})
            found += [connection.recv(), connection.recv()]
            _enough()
    except LookupError as error:
        found.append(str(error))
    return [*found, connection._connection.close_code]


PROGRAMS: Final[tuple[Program, ...]] = (ask_and_read_all, read_one_by_one, read_the_socket, leave_in_the_middle)


async def read_all(client: Any, connect: Connect) -> None:
    """Says nothing, and iterates to the end."""
    hands = Hands()
    connection = await hands.got(connect(client).enter())
    await hands.items(connection)
    await hands.got(connection.close())


def talk(kind: type[Any], frames: Any, world: World, connect: Connect = realtime, **named: Any) -> list[object]:
    """What a program sees that asks for a response and reads all."""
    with talking(kind, frames, world, **named) as (client, _):
        return asyncio.run(ask_and_read_all(client, connect, Hands()))


def listen(kind: type[Any], frames: Any, world: World, connect: Connect, **named: Any) -> None:
    """A program that says nothing and reads all; an end by an error is an end."""
    with talking(kind, frames, world, **named) as (client, _), suppress(WebSocketException):
        asyncio.run(read_all(client, connect))


def ended(world: World, operation: str) -> dict[str, Any]:
    """The only record of this operation."""
    (line,) = [line for line in world.ends() if line["operation_name"] == operation]
    return line


def operations(world: World) -> list[str]:
    return [line["operation_name"] for line in world.ends()]
