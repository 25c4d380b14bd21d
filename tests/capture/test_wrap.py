"""What can be wrapped, how often, and how it comes off again."""

import sys
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

import monitor
from monitor.capture.transport import RecordingTransport
from monitor.capture.wrap import HEALTH
from monitor.settings import Settings
from tests.capture.world import CHAT, KEY, MESSAGES, World, like_openai, new_client, opened
from tests.cassettes.server import LoopbackServer


def _ask(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


def _mock() -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: httpx2.Response(200, json=CHAT))


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI, AzureOpenAI, AsyncAzureOpenAI])
def test_wrap_gives_the_same_object_back(kind: Any, world: World) -> None:
    """The client keeps its identity and type."""
    named = {"azure_endpoint": "http://127.0.0.1:9", "api_version": "2024-10-21"} if "Azure" in kind.__name__ else {}
    client = kind(api_key=KEY, **named)

    wrapped = world.wrap(client)

    assert wrapped is client
    assert type(wrapped) is kind


def test_wrapping_twice_records_once(world: World) -> None:
    """A second `wrap`, also of a copy, does nothing more."""
    with opened(like_openai, world) as client:
        world.wrap(client)
        world.wrap(client.with_options(timeout=3))
        _ask(client)

    assert len(world.ends()) == 1


def test_copies_are_covered(world: World) -> None:
    """What `with_options` and `copy` give is recorded too, made before or after."""
    with opened(like_openai) as client:
        before = client.with_options(timeout=3)
        world.wrap(client)
        _ask(before)
        _ask(client.copy(max_retries=1))

    assert len(world.ends()) == 2


def test_unwrap_takes_it_off(world: World) -> None:
    """After `unwrap` the client has its own transport again and nothing is recorded; wrapping again works."""
    with opened(like_openai) as client:
        own = client._client._transport
        world.wrap(client)
        assert monitor.unwrap(client) is client
        assert client._client._transport is own
        _ask(client)
        assert world.lines() == []
        world.wrap(client)
        _ask(client)

    assert len(world.ends()) == 1


def test_unwrapping_what_is_not_wrapped_does_nothing() -> None:
    """Neither a plain client nor anything else is touched."""
    with OpenAI(api_key=KEY) as client:
        own = client._client._transport
        assert monitor.unwrap(client) is client
        assert client._client._transport is own
    assert monitor.unwrap("nothing") == "nothing"


@pytest.mark.parametrize("thing", [None, "client", object(), openai, OpenAI, dict, _mock()])
def test_what_is_no_client_is_refused(thing: object, world: World) -> None:
    """The error names what it was given and what is wanted."""
    with pytest.raises(monitor.WrapError, match="is not an OpenAI client"):
        world.wrap(thing)


def test_an_http_client_is_refused(world: World) -> None:
    """Not the HTTP client is wrapped but the one of the SDK."""
    with httpx2.Client() as client, pytest.raises(monitor.WrapError, match="httpx2"):
        world.wrap(client)


def test_a_disabled_monitor_touches_nothing(world: World) -> None:
    """With `enabled` off the client stays as it is and no directory is made."""
    with opened(like_openai) as client:
        world.wrap(client, settings=Settings(home=world.directory, enabled=False))

        assert not isinstance(client._client._transport, RecordingTransport)
    assert not world.directory.exists()


def test_the_users_own_http_client_is_wrapped_in_place(world: World) -> None:
    """A client given as `http_client` keeps its transport, limits and time-outs; a mock transport is recorded."""
    http_client = httpx2.Client(transport=_mock(), timeout=3)
    with OpenAI(api_key=KEY, http_client=http_client) as client:
        world.wrap(client)
        _ask(client)

        assert client._client is http_client
        assert http_client.timeout == httpx2.Timeout(3)
    assert world.end()["input_tokens"] == 14


def test_two_clients_share_an_http_client(world: World) -> None:
    """The first `wrap` counts; the calls of both are recorded once."""
    http_client = httpx2.Client(transport=_mock())
    with OpenAI(api_key=KEY, http_client=http_client) as first:
        second = OpenAI(api_key=KEY, http_client=http_client)
        world.wrap(first)
        world.wrap(second)
        _ask(first)
        _ask(second)

    assert len(world.ends()) == 2


def test_proxies_are_wrapped_too(world: World) -> None:
    """Transports that the client uses for some addresses only are recorded like the main one."""
    mounts = {"all://api.openai.com": _mock(), "all://example.org": None}
    http_client = httpx2.Client(transport=httpx2.MockTransport(_refuse), mounts=mounts)
    with OpenAI(api_key=KEY, http_client=http_client) as client:
        before = dict(http_client._mounts)
        world.wrap(client)
        _ask(client)
        monitor.unwrap(client)

        assert dict(http_client._mounts) == before
    assert world.end()["input_tokens"] == 14


def _refuse(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("the main transport is not the one", request=request)


def test_a_legacy_client_is_wrapped(world: World) -> None:
    """The SDK also takes a client of httpx; its transport is then of that library."""
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=CHAT))
    with OpenAI(api_key=KEY, http_client=httpx.Client(transport=transport)) as client:
        world.wrap(client)
        _ask(client)

        assert isinstance(client._client._transport, httpx.BaseTransport)
    assert world.end()["input_tokens"] == 14


def test_closing_the_client_closes_its_transport(world: World) -> None:
    """`close` goes through to the transport that was there before."""
    closed = []

    class Transport(httpx2.BaseTransport):
        def close(self) -> None:
            closed.append(True)

    client = OpenAI(api_key=KEY, http_client=httpx2.Client(transport=Transport()))
    world.wrap(client)
    client.close()

    assert closed == [True]


def test_names_of_the_inner_transport_stay_reachable(world: World) -> None:
    """Code that looks into the transport still finds what it looks for."""
    with OpenAI(api_key=KEY) as client:
        pool = client._client._transport._pool  # type: ignore[attr-defined]  # what such code does
        world.wrap(client)

        assert client._client._transport._pool is pool  # type: ignore[attr-defined]  # as above


def test_a_directory_that_cannot_be_is_told_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the log, at the start, with what to do; the program gets its wrapped client and its answers."""
    (tmp_path / "file").write_text("in the way")
    with opened(like_openai) as client:
        monitor.wrap(client, settings=Settings(home=tmp_path / "file" / "home"))
        (said,) = [record.getMessage() for record in caplog.records if record.name.startswith("monitor.")]
        answer = _ask(client)

    assert "Set MONITOR_HOME" in said
    assert answer.choices[0].message.content == "Paris."


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Without settings of its own `wrap` reads the variables of the process."""
    monkeypatch.setenv("MONITOR_HOME", str(world.directory))
    monkeypatch.setenv("MONITOR_SERVICE", "shop")
    with opened(like_openai) as client:
        monitor.wrap(client)
        _ask(client)

    assert world.end()["service"] == "shop"


def test_two_data_directories_are_kept_apart(tmp_path: Path) -> None:
    """Clients with different homes write to different spools."""
    worlds = [World(tmp_path / "one"), World(tmp_path / "two")]
    with LoopbackServer(like_openai) as server:
        for one in worlds:
            with one.wrap(new_client(OpenAI, server)) as client:
                _ask(client)

    assert [len(one.ends()) for one in worlds] == [1, 1]


def test_all_clients_of_a_process_share_a_segment(world: World) -> None:
    """However many clients there are, the process has one writer a directory."""
    with LoopbackServer(like_openai) as server:
        for _ in range(3):
            with world.wrap(new_client(OpenAI, server)) as client:
                _ask(client)

    assert len(list((world.directory / "spool").iterdir())) == 1
    assert [line["seq"] for line in world.lines()] == list(range(7))


def test_wrapping_imports_nothing_of_the_server() -> None:
    """The wrapper needs the two small packages and the SDK that is there already."""
    assert "monitor.capture.wrap" in sys.modules
    assert HEALTH.counts().get("internal_errors_total", 0) == 0
