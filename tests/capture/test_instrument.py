"""`instrument`: every client made later is recorded once, whoever makes it, with the options that were given."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from openai import (
    AsyncAzureOpenAI,
    AsyncBedrockOpenAI,
    AsyncOpenAI,
    AzureOpenAI,
    BedrockOpenAI,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    OpenAI,
)

import monitor
from tests.capture.instrumented import ask, instrument, is_recorded, mock_transport, transport_of
from tests.capture.world import KEY, World, async_client, like_openai, new_client, opened
from tests.cassettes.server import LoopbackServer

pytestmark = pytest.mark.usefixtures("own_classes")
_AZURE: dict[str, Any] = {"api_key": KEY, "azure_endpoint": "http://127.0.0.1:9", "api_version": "2024-10-21"}
_BEDROCK: dict[str, Any] = {"api_key": KEY, "base_url": "http://127.0.0.1:9/openai/v1"}


class Own(OpenAI):
    """A program's own client."""

    def __init__(self, name: str) -> None:
        super().__init__(api_key=KEY, base_url="http://127.0.0.1:9", http_client=DefaultHttpxClient(verify=False))
        self.name = name


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (OpenAI, {"api_key": KEY}),
        (AsyncOpenAI, {"api_key": KEY}),
        (AzureOpenAI, _AZURE),
        (AsyncAzureOpenAI, _AZURE),
        (BedrockOpenAI, _BEDROCK),
        (AsyncBedrockOpenAI, _BEDROCK),
        (Own, {"name": "mine"}),
    ],
)
def test_every_kind_of_client_is_recorded(kind: Any, named: Any, world: World) -> None:
    """The SDK's own kinds, and those that programs derive from them; each keeps its type."""
    instrument(world)
    library: Any = DefaultAsyncHttpxClient if "Async" in kind.__name__ else DefaultHttpxClient
    client = kind(**named) if kind is Own else kind(**named, http_client=library(verify=False))

    assert type(client) is kind
    assert is_recorded(client)
    assert getattr(client, "name", None) == named.get("name")


def test_calls_are_recorded_with_what_was_given(world: World) -> None:
    """As if each client had been wrapped with these options."""
    instrument(world, service="shop", environment="test", provider="mine", tags={"team": "search", "build": 3})
    with opened(like_openai) as client:
        ask(client)

    end = world.end()
    assert (end["service"], end["environment"], end["provider_name"]) == ("shop", "test", "mine")
    assert (end["team"], end["tags"]) == ("search", {"build": "3"})


@pytest.mark.parametrize(("wrapped", "kept"), [({}, 1), ({"content": False}, 0), ({"service": "mine"}, 1)])
def test_contents_are_kept_when_asked_for(world: World, wrapped: dict[str, Any], kept: int) -> None:
    """Of every client, unless `wrap` says otherwise of one."""
    instrument(world, content=True)
    with opened(like_openai) as client:
        if wrapped:
            monitor.wrap(client, **wrapped)
        ask(client)

    assert len(world.contents()) == kept


def test_what_is_said_of_contents_wins_over_the_setting(world: World) -> None:
    """Nothing is kept where the program says so."""
    instrument(world, content=False, settings=msgspec.structs.replace(world.settings, content=True))
    with opened(like_openai) as client:
        ask(client)

    assert world.contents() == []


def test_async_calls_are_recorded(world: World) -> None:
    """The same for clients that are awaited."""

    async def run(server: LoopbackServer) -> None:
        async with async_client(server) as client:
            await ask(client)

    instrument(world)
    with LoopbackServer(like_openai) as server:
        asyncio.run(run(server))

    assert world.end()["input_tokens"] == 14


def test_twice_records_once(world: World) -> None:
    """A second `instrument` changes the options of the clients that come after it."""
    instrument(world, service="first")
    with opened(like_openai) as before:
        instrument(world, service="second")
        with opened(like_openai) as after:
            ask(before)
            ask(after)

    assert [end["service"] for end in world.ends()] == ["first", "second"]


def test_clients_that_exist_stay_as_they_are(world: World) -> None:
    """They can be wrapped one by one; a copy is a new client, and shares its connections with the old one."""
    with opened(like_openai) as client:
        instrument(world)
        assert not is_recorded(client)
        client.with_options(timeout=3)
        assert is_recorded(client)


def test_an_explicit_wrap_wins(world: World) -> None:
    """What is given to `wrap` wins; what is not given stays as `instrument` was told; a second `wrap` does nothing."""
    instrument(world, service="auto", environment="test", tags={"team": "auto", "region": "eu"})
    with opened(like_openai) as client:
        monitor.wrap(client, service="mine", tags={"team": "mine"})
        assert is_recorded(client)
        monitor.wrap(client, service="late")
        ask(client.with_options(timeout=3))

    end = world.end()
    assert (end["service"], end["environment"], end["team"]) == ("mine", "test", "mine")
    assert end["tags"] == {"region": "eu"}


def test_a_wrapped_client_stays_as_it_was_wrapped(world: World) -> None:
    """Copies of it are made by the same classes; they change nothing."""
    with opened(like_openai, world) as client:
        own = transport_of(client)
        instrument(world, service="auto")
        client.with_options(timeout=3)

        assert transport_of(client) is own


def test_a_shared_http_client_is_recorded_once(world: World) -> None:
    """However many clients share it, also when they are made at the same time."""
    instrument(world)
    http_client = httpx2.Client(transport=mock_transport())
    start = threading.Barrier(8)

    def make() -> None:
        start.wait(30)
        OpenAI(api_key=KEY, http_client=http_client)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with OpenAI(api_key=KEY, http_client=http_client) as client:
        assert is_recorded(client)
        ask(client)

    assert len(world.ends()) == 1


def test_a_copy_with_another_http_client_is_recorded(world: World) -> None:
    """`with_options` and `copy` make clients too."""
    instrument(world)
    with OpenAI(api_key=KEY) as client, client.copy(http_client=httpx2.Client(transport=mock_transport())) as copy:
        ask(copy)

    assert len(world.ends()) == 1


def test_two_generations_of_settings(world: World, tmp_path: Path) -> None:
    """Another `instrument` may name another data directory."""
    other = World(tmp_path / "other")
    for one in (world, other):
        instrument(one)
        with LoopbackServer(like_openai) as server, new_client(OpenAI, server) as client:
            ask(client)

    assert (len(world.ends()), len(other.ends())) == (1, 1)
