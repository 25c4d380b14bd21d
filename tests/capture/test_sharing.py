"""Clients that share an HTTP client: each is recorded as was said of it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx2
import msgspec
import pytest
from openai import AsyncOpenAI, OpenAI

import monitor
from tests.capture.batch_files import a_line, chat_body
from tests.capture.instrumented import ask, instrument, mock_transport
from tests.capture.world import CHAT, KEY, World


class _Lookalike(SimpleNamespace):
    """Looks like a client of the SDK, as far as `wrap` looks."""


def _shared() -> tuple[Any, Any, Any]:
    """An HTTP client and two clients of the SDK that use it."""
    http_client = httpx2.Client(transport=mock_transport(), mounts={"all://other.test": mock_transport()})
    first, second = (OpenAI(api_key=KEY, http_client=http_client) for _ in range(2))
    return http_client, first, second


def _services(world: World) -> list[str | None]:
    return [end.get("service") for end in world.ends()]


def test_each_has_its_own_name_and_tags(world: World) -> None:
    """What is not said of the second is not taken from the first."""
    _, first, second = _shared()
    world.wrap(first, service="first", tags={"team": "search"})
    world.wrap(second, service="second", provider="mine")
    ask(first)
    ask(second)

    ends = world.ends()
    assert [(end["service"], end["provider_name"], end.get("team")) for end in ends] == [
        ("first", "openai", "search"),
        ("second", "mine", None),
    ]


def test_async_clients_are_told_apart_too(world: World) -> None:
    """While their calls run beside each other."""

    async def run() -> None:
        async with httpx2.AsyncClient(transport=mock_transport()) as http_client:
            clients = [AsyncOpenAI(api_key=KEY, http_client=http_client) for _ in range(3)]
            for number, client in enumerate(clients):
                world.wrap(client, service=f"s{number}")
            await asyncio.gather(*map(ask, clients))

    asyncio.run(run())
    assert sorted(str(service) for service in _services(world)) == ["s0", "s1", "s2"]


@pytest.mark.parametrize(("first_kept", "second_kept"), [(True, False), (False, True)])
def test_contents_are_kept_of_those_that_said_so(first_kept: bool, second_kept: bool, world: World) -> None:
    """Whoever was first; copies go with what they are made of."""
    _, first, second = _shared()
    world.wrap(first, service="first", content=first_kept)
    world.wrap(second, service="second", content=second_kept)
    for client in (first, second, first.with_options(timeout=3), second.with_options(timeout=3)):
        ask(client)

    kept = {line["record_id"] for line in world.contents()}
    services = [end["service"] for end in world.ends() if end["record_id"] in kept]
    assert services == ["first" if first_kept else "second"] * 2


def test_files_of_batches_are_kept_of_those_that_said_so(world: World) -> None:
    """Their lines are written while they pass, by the word of the client that asks for them."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=a_line(body=chat_body()).encode() + b"\n")

    http_client = httpx2.Client(transport=httpx2.MockTransport(answer))
    for service, content in (("first", True), ("second", False)):
        client = world.wrap(OpenAI(api_key=KEY, http_client=http_client), service=service, content=content)
    client.files.content("file-1").read()

    assert [end.get("is_batch") for end in world.ends()].count(True) == 1
    assert world.contents() == []


def test_who_says_nothing_new_goes_with_the_first(world: World) -> None:
    """Clients that nobody wrapped do so too."""
    http_client, first, second = _shared()
    world.wrap(first, service="shop", content=True)
    world.wrap(second)
    world.wrap(second, service="shop", content=True)
    ask(second)
    ask(OpenAI(api_key=KEY, http_client=http_client))

    assert _services(world) == ["shop", "shop"]
    assert not hasattr(http_client._transport.recorder, "guests")


def test_a_guest_can_go_to_another_data_directory(world: World) -> None:
    """Settings are its own."""
    _, first, second = _shared()
    other = World(world.directory.with_name("other"))
    world.wrap(first)
    world.wrap(second, settings=msgspec.structs.replace(world.settings, home=other.directory))
    ask(first)
    ask(second)

    assert (len(world.ends()), len(other.ends())) == (1, 1)


def test_one_of_them_can_be_left_out(world: World) -> None:
    """By settings that say so, or by `unwrap`."""
    _, first, second = _shared()
    world.wrap(first)
    world.wrap(second, settings=msgspec.structs.replace(world.settings, enabled=False))
    ask(second)
    world.wrap(second, service="second")
    ask(second)
    monitor.unwrap(second)
    ask(second)
    ask(second.with_options(timeout=3))

    assert _services(world) == ["second"]


def test_a_guest_stays_when_the_first_goes(world: World) -> None:
    """And the first may come back with other words; a second `wrap` of a guest changes nothing."""
    _, first, second = _shared()
    world.wrap(first, service="first")
    world.wrap(second, service="second")
    monitor.unwrap(first)
    ask(first)
    world.wrap(second, service="late")
    ask(second)
    world.wrap(first, service="again")
    ask(first)
    ask(second)

    assert _services(world) == ["second", "again", "second"]


def test_a_guest_that_went_can_come_back(world: World) -> None:
    """With other words, or with none: then it goes with the first."""
    _, first, second = _shared()
    world.wrap(first, service="first")
    for named in ({"service": "second"}, {"service": "third"}, {}):
        monitor.unwrap(world.wrap(second, service="gone") if not world.ends() else second)
        ask(second)
        world.wrap(second, **named)
        ask(second)

    assert _services(world) == ["second", "third", "first"]


def test_when_all_have_gone_nothing_is_left(world: World) -> None:
    """The HTTP client has its own transports again."""
    http_client, first, second = _shared()
    own = http_client._transport, dict(http_client._mounts)
    world.wrap(first, service="first")
    world.wrap(second, service="second")
    monitor.unwrap(first)
    monitor.unwrap(second)

    assert (http_client._transport, dict(http_client._mounts)) == own


def test_a_redirect_keeps_who_asked(world: World) -> None:
    """The request that it makes is of the same client."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/chat/completions":
            return httpx2.Response(307, headers={"location": "https://elsewhere.test/v1/responses"})
        return httpx2.Response(200, json=CHAT)

    http_client = httpx2.Client(transport=httpx2.MockTransport(answer), follow_redirects=True)
    for service in ("first", "second"):
        client = world.wrap(OpenAI(api_key=KEY, http_client=http_client), service=service)
    ask(client)

    assert _services(world) == ["second", "second"]


@pytest.mark.usefixtures("own_classes")
def test_wrap_takes_one_of_many_instrumented_clients_out(world: World) -> None:
    """The others stay as `instrument` was told; so does what is not said of it."""
    instrument(world, service="auto", environment="test", content=True)
    _, first, second = _shared()
    monitor.wrap(second, service="mine", content=False)
    ask(first)
    ask(second)

    assert [(end["service"], end["environment"]) for end in world.ends()] == [("auto", "test"), ("mine", "test")]
    assert len(world.contents()) == 1


def test_who_cannot_be_told_apart_is_told_of(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Then contents are kept of neither, where one does not want it."""
    http_client, first, _ = _shared()
    world.wrap(first, content=True)
    world.wrap(_Lookalike(_client=http_client), service="odd", content=False)
    ask(first)

    assert "cannot be told apart" in caplog.text
    assert len(world.ends()) == 1
    assert world.contents() == []
