"""What a request shares with the one before it is remembered, and never held for longer than it is true."""

import os
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import httpx2
import openai
import pytest

from monitor.capture.keys import KeyNames
from monitor.capture.routes import Identity, Routes
from monitor.capture.shapes import Shape, Shapes
from monitor.errors import HomeError
from tests.capture.world import CHAT, MESSAGES, World, like_openai, opened


@dataclass(frozen=True)
class _Asked:
    """A request as far as it is looked at."""

    method: str = "POST"
    path: str = "/v1/chat/completions"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"), ("Authorization", "Bearer sk-a"))
    length: int | None = 10

    def request(self) -> Any:
        pairs = [("Host", "api.openai.com"), *self.headers]
        pairs += [] if self.length is None else [("Content-Length", str(self.length))]
        url = httpx2.URL(f"https://api.openai.com{self.path}")
        return SimpleNamespace(method=self.method, url=url, headers=httpx2.Headers(pairs), extensions={})


_CHAT = _Asked()


def _shapes(secret: Any = b"s" * 32) -> Shapes:
    identity = Identity(service=None, environment=None, provider=None, providers={}, tags={}, include_usage=True)
    return Shapes(Routes(identity, KeyNames(secret, is_quiet=True)))


def _of(shapes: Shapes, asked: _Asked) -> Shape:
    return shapes.of(asked.request())


def test_the_length_of_the_body_makes_no_difference() -> None:
    """Nearly all that differs between the requests of a program are their bodies."""
    shapes = _shapes()

    assert _of(shapes, _CHAT) is _of(shapes, replace(_CHAT, length=99_999))


def _with(*headers: tuple[str, str]) -> _Asked:
    return replace(_CHAT, headers=(*_CHAT.headers, *headers))


@pytest.mark.parametrize(
    "other",
    [
        replace(_CHAT, method="GET"),
        replace(_CHAT, length=None),
        replace(_CHAT, headers=(_CHAT.headers[0], ("Authorization", "Bearer sk-b"))),
        replace(_CHAT, headers=(("Content-Type", "text/plain"), _CHAT.headers[1])),
        _with(("OpenAI-Project", "proj_1")),
        _with(("x-stainless-retry-count", "1")),
        _with(("x-monitor-team", "search")),
    ],
    ids=["method", "no length", "key", "type", "project", "retry", "tag"],
)
def test_whatever_else_differs_is_looked_at(other: _Asked) -> None:
    """In both directions, as from a shape that nothing was known before."""
    shapes = _shapes()

    found = [_of(shapes, asked) for asked in (_CHAT, other, _CHAT, other)]

    for shape, asked in zip(found, (_CHAT, other, _CHAT, other), strict=True):
        fresh = _of(_shapes(), asked)
        assert (shape.route, dict(shape.tags), shape.is_json, shape.is_retry) == (
            fresh.route,
            dict(fresh.tags),
            fresh.is_json,
            fresh.is_retry,
        )


def test_the_way_into_the_sdk_is_remembered_whatever_the_headers_are() -> None:
    """Programs that send the id of a trace with each request have other headers each time."""
    shapes = _shapes()

    assert len({id(_of(shapes, _with(("traceparent", str(number)))).entry) for number in range(3)}) == 1


def test_a_tag_is_of_its_own_request() -> None:
    """It is taken off each request that has it, and the next one has it no more."""
    shapes = _shapes()
    tagged = _with(("x-monitor-team", "search"))

    for _ in range(2):
        request = tagged.request()
        assert shapes.of(request).tags == {"team": "search"}
        assert "x-monitor-team" not in request.headers
    assert not _of(shapes, _CHAT).tags


def test_another_process_has_another_shape() -> None:
    """The number of the process stands in the facts, and a fork changes it."""
    shapes = _shapes()
    _of(shapes, _CHAT)

    child = os.fork()
    if child == 0:
        os._exit(0 if _of(shapes, _CHAT).route.facts["process_id"] == os.getpid() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_key_without_a_name_is_asked_for_again() -> None:
    """While the secret cannot be read, no route is kept."""

    def unreadable() -> bytes:
        raise HomeError("The secret cannot be read.")

    shapes = _shapes(unreadable)

    assert _of(shapes, _CHAT) is not _of(shapes, _CHAT)


def test_addresses_with_ids_fill_no_memory() -> None:
    """They are met a few times and never again."""
    shapes = _shapes()
    for number in range(2_000):
        _of(shapes, replace(_CHAT, path=f"/v1/files/file-{number}"))

    assert len(shapes._known) <= 256


class _Own(httpx2.Client):
    """A client of a program's own, which stands between the SDK and us."""

    def send(self, *args: Any, **kwargs: Any) -> Any:
        return super().send(*args, **kwargs)


def _answer(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=CHAT)


def test_each_line_has_its_own_site(world: World) -> None:
    """Though the search begins where the SDK was entered the last time."""
    with opened(like_openai, world) as client:

        def deeper(depth: int) -> None:
            if depth:
                deeper(depth - 1)
            else:
                client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        deeper(0)
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        deeper(3)
        client.post("/chat/completions", body={"model": "gpt-4o", "messages": MESSAGES}, cast_to=object)
        client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)

    sites = [end["call_site"] for end in world.ends()]
    functions = [end["call_function"].rpartition(".")[2] for end in world.ends()]
    here = "test_each_line_has_its_own_site"
    assert functions == [here, "deeper", here, "deeper", here, here]
    assert sites[1] == sites[3]
    assert len(set(sites)) == 5


def test_a_frame_of_the_program_within_the_sdk_is_found_each_time(world: World) -> None:
    """A client of one's own between the SDK and the network is the innermost frame of the program."""
    own = world.wrap(openai.OpenAI(api_key="sk-a", http_client=_Own(transport=httpx2.MockTransport(_answer))))
    plain = world.wrap(
        openai.OpenAI(api_key="sk-a", http_client=httpx2.Client(transport=httpx2.MockTransport(_answer)))
    )
    for _ in range(2):
        for client in (own, plain):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    functions = [end["call_function"].rpartition(".")[2] for end in world.ends()]
    assert functions == ["send", "test_a_frame_of_the_program_within_the_sdk_is_found_each_time"] * 2
