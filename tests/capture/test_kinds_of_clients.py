"""Kinds of clients and of ways to the network: each is recorded, and stays what it is."""

import asyncio
import json
from typing import Any, assert_type

import httpx2
import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, DefaultAioHttpClient, DefaultHttpxClient, OpenAI

import monitor
from monitor.settings import Settings
from tests.capture.world import KEY, MESSAGES, World, json_answer, like_openai, new_client, opened
from tests.cassettes.server import Answer, Asked, LoopbackServer


def _ask(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model="my-gpt", messages=MESSAGES, **options)


def _ask_and_close(client: Any) -> None:
    """One call of a client, plain or async, that is not used again."""
    if isinstance(client, OpenAI):
        with client:
            _ask(client)
    else:
        asyncio.run(_ask_async(client))


async def _ask_async(client: AsyncOpenAI) -> None:
    async with client:
        await _ask(client)


def test_the_type_of_the_client_is_kept(world: World) -> None:
    """Type checkers see what was given, not a wrapper."""
    with OpenAI(api_key=KEY, http_client=DefaultHttpxClient(verify=False)) as client:
        assert_type(monitor.wrap(client, settings=world.settings), OpenAI)
        assert_type(monitor.unwrap(client), OpenAI)


def test_the_decorator_keeps_the_type_of_the_function() -> None:
    """A tagged function takes and gives what it did."""

    @monitor.tag(team="search")
    def double(number: int) -> int:
        return 2 * number

    assert_type(double(2), int)
    assert double(2) == 4


@pytest.mark.parametrize("kind", [AzureOpenAI, AsyncAzureOpenAI])
def test_azure_is_recorded(kind: Any, world: World) -> None:
    """The deployment stands in the path; the provider comes from the host."""
    settings = Settings(home=world.directory, providers={"127.0.0.1": "azure.ai.openai"})
    with LoopbackServer(like_openai) as server:
        named = {"azure_endpoint": server.address, "api_version": "2024-10-21", "azure_deployment": "my-deployment"}
        http_client = openai.DefaultAsyncHttpxClient if kind is AsyncAzureOpenAI else DefaultHttpxClient
        client = kind(api_key=KEY, http_client=http_client(verify=False), max_retries=0, **named)
        _ask_and_close(world.wrap(client, settings=settings))
        (asked,) = server.asked

    assert asked.target.startswith("/openai/deployments/my-deployment/chat/completions")
    end = world.end()
    assert (end["provider_name"], end["endpoint"]) == ("azure.ai.openai", "/chat/completions")
    assert (end["request_model"], end["response_model"]) == ("my-gpt", "gpt-4o-2024-08-06")
    assert end["key_hint"] == KEY[-4:]


@pytest.mark.parametrize("is_streaming", [False, True])
def test_the_client_of_aiohttp_is_recorded(is_streaming: bool, world: World) -> None:
    """The SDK can speak HTTP through aiohttp; what the program sees is the same."""

    async def run(server: LoopbackServer) -> list[str]:
        async with AsyncOpenAI(
            api_key=KEY, base_url=f"{server.address}/v1", max_retries=0, http_client=DefaultAioHttpClient(verify=False)
        ) as client:
            world.wrap(client)
            if is_streaming:
                stream = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
                return [chunk.choices[0].delta.content or "" async for chunk in stream]
            return [(await _ask(client)).choices[0].message.content]

    with LoopbackServer(like_openai) as server:
        said = "".join(asyncio.run(run(server)))

    assert said.startswith("Paris")
    end = world.end()
    assert (end["input_tokens"], end.get("is_streaming", False)) == (14, is_streaming)
    assert "error_class" not in end


def test_aiohttps_faults_are_recorded(world: World) -> None:
    """The SDK's aiohttp calls every failure to connect a time-out; the record says what the program hears."""

    async def run(address: str) -> None:
        async with AsyncOpenAI(
            api_key=KEY, base_url=f"{address}/v1", max_retries=0, http_client=DefaultAioHttpClient(verify=False)
        ) as client:
            world.wrap(client)
            with pytest.raises(openai.APITimeoutError):
                await _ask(client)

    with LoopbackServer(like_openai) as server:
        address = server.address
    asyncio.run(run(address))

    assert (world.end()["error_class"], world.end()["error_type"]) == ("timeout", "ConnectTimeout")


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_calls_through_a_proxy_are_recorded(kind: Any, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A proxy named by the environment is used as before; hosts that it is not for are recorded too."""
    with LoopbackServer(like_openai) as proxy, LoopbackServer(like_openai) as direct:
        for name in ("http_proxy", "all_proxy", "ALL_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for base_url in ("http://api.example.test/v1", f"{direct.address}/v1"):
            _ask_and_close(world.wrap(new_client(kind, direct, base_url=base_url)))

    assert [asked.target for asked in proxy.asked] == ["http://api.example.test/v1/chat/completions"]
    assert len(direct.asked) == 1
    assert [end["input_tokens"] for end in world.ends()] == [14, 14]


def test_hooks_and_own_settings_of_the_http_client_hold(world: World) -> None:
    """Event hooks, headers and base address of a client that the program made itself."""
    seen: list[str] = []

    def hook(request: httpx2.Request) -> None:
        seen.append(request.headers["x-own"])

    with LoopbackServer(like_openai) as server:
        http_client = httpx2.Client(event_hooks={"request": [hook]}, headers={"x-own": "1"}, verify=False)
        with OpenAI(api_key=KEY, base_url=f"{server.address}/v1", http_client=http_client) as client:
            _ask(world.wrap(client))

    assert (seen, len(world.ends())) == (["1"], 1)


def test_an_answer_of_a_redirect_is_recorded(world: World) -> None:
    """A redirect is one more request, with the tags of the one that was sent elsewhere."""

    def answer(asked: Asked) -> Answer:
        if asked.target.startswith("/v1/"):
            return Answer(status=307, headers=(("location", "/moved/v1/chat/completions"),))
        return json_answer({**json.loads(like_openai(asked).pieces[0]), "id": "moved"})

    with opened(answer, world) as client:
        assert _ask(client).id == "moved"
        assert _ask(client, extra_headers={"x-monitor-team": "search"}).id == "moved"
        assert _ask(client).id == "moved"

    assert [(end["status"], end.get("team")) for end in world.ends()] == [
        (307, None),
        (200, None),
        (307, "search"),
        (200, "search"),
        (307, None),
        (200, None),
    ]
