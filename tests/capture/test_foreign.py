"""What a program asks with the HTTP client of a wrapped client, without the SDK, is its own affair."""

from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.capture.instrumented import ask
from tests.capture.world import CHAT, KEY, World

_BASE = "https://gateway.test/tenant/v1"


class _Server:
    """Answers everything, and keeps the headers it was sent."""

    def __init__(self) -> None:
        self.headers: list[httpx2.Headers] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.headers.append(request.headers)
        return httpx2.Response(200, json=CHAT)


def _wrapped(world: World, server: Any = None, **named: Any) -> tuple[Any, httpx2.Client]:
    http_client = httpx2.Client(transport=httpx2.MockTransport(server or _Server()), follow_redirects=True)
    client = OpenAI(api_key=KEY, base_url=_BASE, http_client=http_client, max_retries=0, **named)
    return world.wrap(client), http_client


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("https://gateway.test/internal/users/alice", 0),
        ("https://gateway.test/tenant/v11/models", 0),
        ("https://gateway.test:8443/tenant/v1/models", 0),
        ("https://elsewhere.test/tenant/v1/models", 0),
        ("https://gateway.test/tenant/v1/models", 1),
        ("https://gateway.test/tenant/v1", 1),
    ],
)
def test_only_what_is_asked_of_the_api_is_recorded(url: str, count: int, world: World) -> None:
    """It is below the base URL, even where the SDK did not ask."""
    _, http_client = _wrapped(world)
    for _ in range(2):
        http_client.get(url)

    assert len(world.ends()) == 2 * count


def test_what_the_sdk_asks_elsewhere_is_recorded(world: World) -> None:
    """A whole URL, a base URL that was changed, and where a redirect leads: the SDK's own headers tell."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        moved = {"/a/models": "https://far.test/b/models"}.get(request.url.path)
        return httpx2.Response(307, headers={"location": moved}) if moved else httpx2.Response(200, json=CHAT)

    client, _ = _wrapped(world, answer)
    client.get("https://elsewhere.test/a/models", cast_to=object)
    client.base_url = "https://new.test/v1"
    ask(client)

    assert [end["endpoint"] for end in world.ends()] == ["/models", "/models", "/chat/completions"]


def test_what_is_not_ours_is_not_touched(world: World) -> None:
    """Headers that look like tags are somebody else's; the SDK's are taken off as ever, after it and before."""
    server = _Server()
    client, http_client = _wrapped(world, server, default_headers={"x-monitor-team": "search"})
    for _ in range(2):
        ask(client)
        http_client.get("https://gateway.test/v1/chat/completions", headers={"x-monitor-team": "theirs"})

    assert [headers.get("x-monitor-team") for headers in server.headers] == [None, "theirs"] * 2
    assert [end["team"] for end in world.ends()] == ["search", "search"]


def test_copies_may_have_another_base_url(world: World) -> None:
    """What goes below it is of the API too, and its path is no part of an endpoint."""
    client, http_client = _wrapped(world)
    copy = client.with_options(base_url="https://second.test/acct/gw")
    copy.get("/things/new", cast_to=object)
    http_client.get("https://second.test/acct/gw/models")

    assert [end["endpoint"] for end in world.ends()] == ["/things/{id}", "/models"]
