"""A real WebSocket server on this machine that plays a conversation, and clients that take part in it.

Runs with every SDK that has sockets: what it imports, they all have.
"""

import inspect
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import openai
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.capture.world import KEY, World

Frame = dict[str, Any]
Play = Callable[[ServerConnection], None]

HEAR: Final[Frame] = {"direction": "out"}
"""In a conversation: the server waits for a message of the program."""

CLIENTS: Final[tuple[type[Any], ...]] = (openai.OpenAI, openai.AsyncOpenAI)

_CLIENT: Final = openai.OpenAI(api_key="none")


def _needs(*names: str) -> pytest.MarkDecorator:
    found: Any = _CLIENT
    for name in (*names, "connect"):
        found = getattr(found, name, None)
    return pytest.mark.skipif(found is None, reason="this SDK has no such socket")


NEEDS_REALTIME: Final = _needs("realtime")
NEEDS_BETA: Final = _needs("beta", "realtime")
NEEDS_LIVE: Final = _needs("live")
NEEDS_RESPONSES: Final = _needs("responses")
ON_SOCKETS: Final = [
    pytest.mark.parametrize("kind", CLIENTS, ids=["sync", "async"]),
    # The SDK opens sync sockets in a way that the newest websockets calls old.
    pytest.mark.filterwarnings("ignore:connect\\(\\) must be used as a context manager:DeprecationWarning"),
]
"""The marks of a file of tests: each runs with both kinds of clients."""


def said(kind: str, **more: Any) -> Frame:
    """In a conversation: the server says this."""
    return {"direction": "in", "event": {"type": kind, **more}}


def raw(message: str | bytes) -> Frame:
    """In a conversation: the server sends this, whatever it is."""
    return {"direction": "in", "raw": message}


@dataclass
class Heard:
    """What came to the server."""

    paths: list[str] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)


class SocketServer:
    """Serves on a loopback port, one thread a connection, until the block is left."""

    def __init__(
        self,
        frames: Iterable[Frame],
        *,
        code: int | None = 1000,
        refuse: tuple[int, str] | None = None,
        headers: dict[str, str] | None = None,
        stays: bool = False,
    ) -> None:
        """Plays the same frames to each connection.

        Args:
            frames: what it says, and where it waits for a message.
            code: it closes with afterwards; None breaks the connection off instead.
            refuse: status and body instead of a socket.
            headers: more headers of the handshake's answer.
            stays: waits for the program to close.
        """
        self.heard = Heard()
        self._frames = list(frames)
        self._code = code
        self._refuse = refuse
        self._headers = headers or {}
        self._stays = stays
        self._server: Server = serve(
            self._handle, "127.0.0.1", 0, process_request=self._look, process_response=self._add, compression=None
        )
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.socket.getsockname()[1]}"

    def __enter__(self) -> "SocketServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()

    def _handle(self, connection: ServerConnection) -> None:
        try:
            self._play(connection)
        except (ConnectionClosed, OSError):
            return

    def _play(self, connection: ServerConnection) -> None:
        for frame in self._frames:
            if frame["direction"] == "out":
                self.heard.messages.append(connection.recv())
            else:
                connection.send(frame["raw"] if "raw" in frame else json.dumps(frame["event"]))
        if self._stays:
            connection.recv()
        elif self._code is None:
            connection.close_socket()
        else:
            connection.close(self._code)

    def _look(self, connection: ServerConnection, request: Any) -> Any:
        self.heard.paths.append(request.path)
        if self._refuse is None:
            return None
        response = connection.respond(*self._refuse)
        response.headers.update(self._headers)
        return response

    def _add(self, _: ServerConnection, __: Any, response: Any) -> Any:
        if self._refuse is None:
            response.headers.update(self._headers)
        return response


class Hands:
    """The steps that differ between sync and async clients, so that a program is written once."""

    async def got(self, value: Any) -> Any:
        """A result, awaited where that is needed."""
        return await value if inspect.isawaitable(value) else value

    async def items(self, connection: Any) -> list[Any]:
        """All that iterating over a connection gives, to its end."""
        if hasattr(connection, "__aiter__"):
            return [item async for item in connection]
        return list(connection)


def new_client(kind: type[Any], host: str, world: World | None = None, **named: Any) -> Any:
    """A client that connects to a server; wrapped where a world is given."""
    library: Any = openai.DefaultAsyncHttpxClient if issubclass(kind, openai.AsyncOpenAI) else openai.DefaultHttpxClient
    given = {
        "api_key": KEY,
        # Without TLS: reading the certificates takes most of the time that making a client takes.
        "http_client": library(verify=False),
        "base_url": f"http://{host}/v1",
        "websocket_base_url": f"ws://{host}/v1",
        "max_retries": 0,
        **named,
    }
    client = kind(**given)
    return client if world is None else world.wrap(client)


@contextmanager
def talking(
    kind: type[Any], frames: Iterable[Frame], world: World | None = None, **named: Any
) -> Iterator[tuple[Any, Heard]]:
    """A client, and what its server hears; `named` is for the server."""
    with SocketServer(frames, **named) as server:
        yield new_client(kind, server.host, world), server.heard
