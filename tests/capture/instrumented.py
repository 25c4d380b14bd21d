"""What the tests of `instrument` share."""

from typing import Any

import httpx2

import monitor
from monitor.capture.transport import RecordingTransport
from tests.capture.world import CHAT, MESSAGES, World


def instrument(world: World, **named: Any) -> None:
    """Record what is made from now on in this data directory."""
    monitor.instrument(**{"settings": world.settings, **named})


def ask(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


def mock_transport() -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: httpx2.Response(200, json=CHAT))


def transport_of(client: Any) -> Any:
    return client._client._transport


def is_recorded(client: Any) -> bool:
    """Whether it is, and once only."""
    transport = transport_of(client)
    return isinstance(transport, RecordingTransport) and not isinstance(transport.inner, RecordingTransport)
