"""Copies of wrapped clients: recorded as what they were made of, on whatever HTTP client; and nobody sees it."""

import copy
import inspect
import pickle
import weakref
from typing import Any

import httpx2
import pytest
from openai import AsyncAzureOpenAI, AsyncBedrockOpenAI, AsyncOpenAI, AzureOpenAI, BedrockOpenAI, OpenAI

import monitor
from monitor.capture.wrap import HEALTH
from tests.capture.instrumented import ask, instrument, is_recorded, mock_transport
from tests.capture.world import KEY, World

_AZURE: dict[str, Any] = {"azure_endpoint": "http://127.0.0.1:9", "api_version": "2024-10-21"}
_BEDROCK: dict[str, Any] = {"base_url": "http://127.0.0.1:9/openai/v1"}
_KINDS: list[tuple[Any, dict[str, Any]]] = [
    (OpenAI, {}),
    (AsyncOpenAI, {}),
    (AzureOpenAI, _AZURE),
    (AsyncAzureOpenAI, _AZURE),
    (BedrockOpenAI, _BEDROCK),
    (AsyncBedrockOpenAI, _BEDROCK),
]


def _http_client(kind: Any = OpenAI) -> Any:
    return (httpx2.AsyncClient if "Async" in kind.__name__ else httpx2.Client)(transport=mock_transport())


def _client(kind: Any = OpenAI, **named: Any) -> Any:
    return kind(api_key=KEY, **{"http_client": _http_client(kind), **named})


class Own(OpenAI):
    """A program's own client, which makes its copies itself."""

    def copy(self, **named: Any) -> Any:
        return Own(api_key=KEY, **named)

    def with_options(self, **named: Any) -> Any:
        return named.get("timeout")


@pytest.mark.parametrize(("kind", "named"), _KINDS)
@pytest.mark.parametrize("method", ["copy", "with_options"])
def test_copies_with_another_http_client_are_recorded(kind: Any, named: Any, method: str, world: World) -> None:
    """Of every kind of client; and what is made of the copies."""
    client = world.wrap(_client(kind, **named))
    made = getattr(client, method)(http_client=_http_client(kind))
    again = getattr(made, method)(http_client=_http_client(kind), timeout=3)

    assert [is_recorded(one) for one in (made, again)] == [True, True]
    assert type(again) is kind


def test_copies_are_recorded_as_what_they_are_made_of(world: World) -> None:
    """With all that was said of it."""
    client = world.wrap(_client(), service="shop", provider="mine", tags={"team": "search"}, content=True)
    ask(client.copy(http_client=_http_client()))

    end = world.end()
    assert (end["service"], end["provider_name"], end["team"]) == ("shop", "mine", "search")
    assert len(world.contents()) == 1


def test_a_copy_that_was_wrapped_so_stays_so(world: World) -> None:
    """A second `wrap` of it changes nothing."""
    made = world.wrap(_client(), service="shop").copy(http_client=_http_client())
    ask(world.wrap(made, service="late"))

    assert world.end()["service"] == "shop"


def test_clients_that_copy_in_their_own_way_are_followed(world: World) -> None:
    """Whether they ask the SDK or not; what they give that is no client is given on."""
    client = world.wrap(Own(api_key=KEY, http_client=_http_client()))
    faults = HEALTH.counts().get("internal_errors_total", 0)

    assert is_recorded(client.copy(http_client=_http_client()))
    assert client.with_options(timeout=3) == 3
    assert HEALTH.counts().get("internal_errors_total", 0) == faults


def test_copies_of_other_clients_are_not_recorded(world: World) -> None:
    """One that was never wrapped, and one that is not any more."""
    client = monitor.unwrap(world.wrap(_client()))
    ask(_client().copy(http_client=_http_client()))
    ask(client.copy(http_client=_http_client()))

    assert world.lines() == []


@pytest.mark.usefixtures("own_classes")
@pytest.mark.parametrize("is_still", [True, False])
def test_copies_of_instrumented_clients_are_recorded_once(is_still: bool, world: World) -> None:
    """Those that are made after `uninstrument`, too."""
    instrument(world, service="auto")
    client = _client()
    if not is_still:
        monitor.uninstrument()
    made = client.copy(http_client=_http_client())
    ask(made)

    assert is_recorded(made)
    assert world.end()["service"] == "auto"


@pytest.mark.usefixtures("own_classes")
def test_the_word_of_wrap_holds_for_copies_of_instrumented_clients(world: World) -> None:
    """What `instrument` says of all new clients does not win over it."""
    instrument(world, service="auto", environment="test")
    client = monitor.wrap(_client(), service="mine")
    ask(client.copy(http_client=_http_client()))

    end = world.end()
    assert (end["service"], end["environment"]) == ("mine", "test")


def test_a_copy_onto_a_wrapped_http_client_keeps_its_name(world: World) -> None:
    """That HTTP client is recorded for others already."""
    other = world.wrap(_client(), service="other")
    made = world.wrap(_client(), service="mine").copy(http_client=other._client)
    ask(made)
    ask(other)

    assert [end["service"] for end in world.ends()] == ["mine", "other"]


def test_a_wrapped_client_looks_the_same(world: World) -> None:
    """It has the attributes that it had, and its methods look as they did."""
    client = _client()
    before = set(vars(client))
    world.wrap(client)

    assert set(vars(client)) == before
    assert client.copy == client.copy
    assert copy.copy(client).copy.__self__ is not client


def test_the_methods_look_the_same(world: World) -> None:
    """Name, text and signature are the SDK's, and both names are one function."""

    def look() -> list[object]:
        return [
            (
                inspect.signature(kind.copy),
                kind.copy.__qualname__,
                kind.copy.__doc__,
                inspect.getsource(kind.copy),
                kind.copy is kind.with_options,
                pickle.loads(pickle.dumps(kind.copy)) is kind.copy,
            )
            for kind, _ in _KINDS
        ]

    before = look()
    for kind, named in _KINDS:
        world.wrap(_client(kind, **named))

    assert look() == before


def test_a_wrong_argument_is_told_in_the_same_words(world: World) -> None:
    """By the SDK's own method."""
    client = world.wrap(_client())

    with pytest.raises(TypeError, match=r"OpenAI\.copy\(\) got an unexpected keyword argument 'colour'"):
        client.copy(colour="red")


def test_nothing_of_ours_keeps_a_client(world: World) -> None:
    """It goes when the program forgets it, not when Python next collects garbage."""
    client = world.wrap(_client())
    made = weakref.ref(client.copy(http_client=_http_client()))
    there = weakref.ref(client)
    del client

    assert (made(), there()) == (None, None)
