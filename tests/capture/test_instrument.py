"""`instrument`: every client made later is recorded, whoever makes it, and nothing else changes."""

import asyncio
import inspect
import json
import pickle
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import openai
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
from openai._base_client import AsyncAPIClient, SyncAPIClient

import monitor
from monitor.capture.transport import RecordingTransport
from monitor.settings import Settings
from tests.capture.program import output_of
from tests.capture.world import CHAT, KEY, MESSAGES, World, async_client, like_openai, new_client, opened
from tests.cassettes.server import LoopbackServer

_AZURE: dict[str, Any] = {"api_key": KEY, "azure_endpoint": "http://127.0.0.1:9", "api_version": "2024-10-21"}
_BEDROCK: dict[str, Any] = {"api_key": KEY, "base_url": "http://127.0.0.1:9/openai/v1"}


@pytest.fixture(autouse=True)
def _plain() -> Iterator[None]:
    """Leaves the SDK's classes as they were."""
    yield
    monitor.uninstrument()


class Own(OpenAI):
    """A program's own client."""

    def __init__(self, name: str) -> None:
        super().__init__(api_key=KEY, base_url="http://127.0.0.1:9", http_client=DefaultHttpxClient(verify=False))
        self.name = name


def _instrument(world: World, **named: Any) -> None:
    monitor.instrument(**{"settings": world.settings, **named})


def _ask(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


def _mock() -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: httpx2.Response(200, json=CHAT))


def _transport(client: Any) -> Any:
    return client._client._transport


def _is_recorded(client: Any) -> bool:
    transport = _transport(client)
    return isinstance(transport, RecordingTransport) and not isinstance(transport.inner, RecordingTransport)


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
    _instrument(world)
    library: Any = DefaultAsyncHttpxClient if "Async" in kind.__name__ else DefaultHttpxClient
    client = kind(**named) if kind is Own else kind(**named, http_client=library(verify=False))

    assert type(client) is kind
    assert _is_recorded(client)
    assert getattr(client, "name", None) == named.get("name")


def test_calls_are_recorded_with_what_was_given(world: World) -> None:
    """As if each client had been wrapped with these options."""
    _instrument(world, service="shop", environment="test", provider="mine", tags={"team": "search", "build": 3})
    with opened(like_openai) as client:
        _ask(client)

    end = world.end()
    assert (end["service"], end["environment"], end["provider_name"]) == ("shop", "test", "mine")
    assert (end["team"], end["tags"]) == ("search", {"build": "3"})


@pytest.mark.parametrize(("wrapped", "kept"), [({}, 1), ({"content": False}, 0), ({"service": "mine"}, 1)])
def test_contents_are_kept_when_asked_for(world: World, wrapped: dict[str, Any], kept: int) -> None:
    """Of every client, unless `wrap` says otherwise of one."""
    _instrument(world, content=True)
    with opened(like_openai) as client:
        if wrapped:
            monitor.wrap(client, **wrapped)
        _ask(client)

    assert len(world.contents()) == kept


def test_what_is_said_of_contents_wins_over_the_setting(world: World) -> None:
    """Nothing is kept where the program says so."""
    _instrument(world, content=False, settings=replace(world.settings, content=True))
    with opened(like_openai) as client:
        _ask(client)

    assert world.contents() == []


def test_async_calls_are_recorded(world: World) -> None:
    """The same for clients that are awaited."""

    async def run(server: LoopbackServer) -> None:
        async with async_client(server) as client:
            await _ask(client)

    _instrument(world)
    with LoopbackServer(like_openai) as server:
        asyncio.run(run(server))

    assert world.end()["input_tokens"] == 14


def test_twice_records_once(world: World) -> None:
    """A second `instrument` changes the options of the clients that come after it."""
    _instrument(world, service="first")
    with opened(like_openai) as before:
        _instrument(world, service="second")
        with opened(like_openai) as after:
            _ask(before)
            _ask(after)

    assert [end["service"] for end in world.ends()] == ["first", "second"]


def test_clients_that_exist_stay_as_they_are(world: World) -> None:
    """They can be wrapped one by one; a copy is a new client, and shares its connections with the old one."""
    with opened(like_openai) as client:
        _instrument(world)
        assert not _is_recorded(client)
        client.with_options(timeout=3)
        assert _is_recorded(client)


def test_uninstrument_gives_the_classes_back(world: World) -> None:
    """They are what they were; clients that are recorded stay so until they are unwrapped."""
    own = (SyncAPIClient.__init__, AsyncAPIClient.__init__)
    _instrument(world)
    with OpenAI(api_key=KEY) as before:
        monitor.uninstrument()
        monitor.uninstrument()

        assert (SyncAPIClient.__init__, AsyncAPIClient.__init__) == own
        assert _is_recorded(before)
        assert not _is_recorded(monitor.unwrap(before))
    with OpenAI(api_key=KEY) as after:
        assert not _is_recorded(after)


def test_what_somebody_put_around_it_stays(world: World) -> None:
    """Another library may patch the same place: its patch stays, ours inside it does nothing any more."""
    own = SyncAPIClient.__init__
    _instrument(world)
    ours, seen = SyncAPIClient.__init__, []

    def theirs(self: Any, **named: Any) -> None:
        seen.append(type(self))
        ours(self, **named)

    changed: Any = SyncAPIClient
    changed.__init__ = theirs
    try:
        monitor.uninstrument()
        with OpenAI(api_key=KEY) as client:
            assert not _is_recorded(client)
        _instrument(world)
        with OpenAI(api_key=KEY) as client:
            assert _is_recorded(client)
        assert seen == [OpenAI, OpenAI]
    finally:
        changed.__init__ = own


def test_a_disabled_monitor_touches_nothing(world: World) -> None:
    """Neither the classes nor the imports."""
    own, finders = SyncAPIClient.__init__, list(sys.meta_path)
    monitor.instrument(settings=Settings(home=world.directory, enabled=False))

    assert (SyncAPIClient.__init__, sys.meta_path) == (own, finders)


def test_a_wrong_setting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `instrument`, not by the first client."""
    own = SyncAPIClient.__init__
    monkeypatch.setenv("MONITOR_PORT", "http")

    with pytest.raises(monitor.SettingsError, match="MONITOR_PORT"):
        monitor.instrument()
    assert SyncAPIClient.__init__ is own


_STUBBORN = """
import logging
import httpx2, monitor
from monitor.capture.wrap import HEALTH
from openai import OpenAI

class Stubborn(httpx2.Client):
    def __setattr__(self, name, value):
        if name == "_transport" and hasattr(self, name):
            raise RuntimeError("not mine to change")
        super().__setattr__(name, value)

logging.disable()
monitor.instrument()
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"object": "list", "data": []}))
client = OpenAI(api_key="k", http_client=Stubborn(transport=transport))
print(client.models.list().data, HEALTH.counts())
"""


def test_a_fault_of_ours_does_not_reach_the_program(world: World) -> None:
    """The client is made and works; the fault is counted."""
    output = output_of(_STUBBORN, MONITOR_HOME=str(world.directory))

    assert output == "[] {'internal_errors_total': 1}\n"


def test_an_unusable_directory_does_not_reach_the_program(tmp_path: Path) -> None:
    """Without a place for records the client works as it would alone."""
    (tmp_path / "file").write_text("in the way")
    monitor.instrument(settings=Settings(home=tmp_path / "file" / "home"))
    with opened(like_openai) as client:
        assert _ask(client).id == "chatcmpl-1"


def test_an_explicit_wrap_wins(world: World) -> None:
    """What is given to `wrap` wins; what is not given stays as `instrument` was told; a second `wrap` does nothing."""
    _instrument(world, service="auto", environment="test", tags={"team": "auto", "region": "eu"})
    with opened(like_openai) as client:
        monitor.wrap(client, service="mine", tags={"team": "mine"})
        assert _is_recorded(client)
        monitor.wrap(client, service="late")
        _ask(client.with_options(timeout=3))

    end = world.end()
    assert (end["service"], end["environment"], end["team"]) == ("mine", "test", "mine")
    assert end["tags"] == {"region": "eu"}


def test_a_wrapped_client_stays_as_it_was_wrapped(world: World) -> None:
    """Copies of it are made by the same classes; they change nothing."""
    with opened(like_openai, world) as client:
        own = _transport(client)
        _instrument(world, service="auto")
        client.with_options(timeout=3)

        assert _transport(client) is own


def test_a_shared_http_client_is_recorded_once(world: World) -> None:
    """However many clients share it, also when they are made at the same time."""
    _instrument(world)
    http_client = httpx2.Client(transport=_mock())
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
        assert _is_recorded(client)
        _ask(client)

    assert len(world.ends()) == 1


def test_a_copy_with_another_http_client_is_recorded(world: World) -> None:
    """`with_options` and `copy` make clients too."""
    _instrument(world)
    with OpenAI(api_key=KEY) as client, client.copy(http_client=httpx2.Client(transport=_mock())) as copy:
        _ask(copy)

    assert len(world.ends()) == 1


def test_the_classes_look_the_same(world: World) -> None:
    """Signature, name, text and pickle of the classes do not show it."""

    def look() -> list[object]:
        kinds: list[Any] = [SyncAPIClient, AsyncAPIClient, OpenAI, AsyncOpenAI]
        return [
            (
                inspect.signature(kind),
                kind.__init__.__qualname__,
                kind.__init__.__doc__,
                pickle.loads(pickle.dumps(kind)),
            )
            for kind in kinds
        ]

    before = look()
    _instrument(world)

    assert look() == before


_PROGRAM = """
import json, sys
import monitor

monitor.instrument(service="hooked")
loaded = sorted({name.partition(".")[0] for name in sys.modules} & {"openai", "httpx", "httpx2", "duckdb"})
import openai
from openai import _base_client

openai.api_key, openai.base_url, openai.max_retries = "sk-tests", sys.argv[1], 0
openai.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "?"}])
loader = type(_base_client.__spec__.loader)
print(json.dumps([loaded, loader.__name__, _base_client.__loader__ is _base_client.__spec__.loader]))
"""


def test_openai_is_looked_after_when_it_comes(world: World) -> None:
    """Nothing is imported before the program does; the client behind `openai.chat` is recorded; no trace is left."""
    with LoopbackServer(like_openai) as server:
        output = output_of(_PROGRAM, f"{server.address}/v1/", MONITOR_HOME=str(world.directory))

    assert json.loads(output) == [[], "SourceFileLoader", True]
    end = world.end()
    assert (end["service"], end["input_tokens"]) == ("hooked", 14)


def test_an_import_that_is_under_way_is_not_missed(world: World) -> None:
    """Another thread may be importing openai while the program says `instrument`."""
    program = """
import threading, monitor
thread = threading.Thread(target=__import__, args=("openai",))
thread.start()
for _ in range(50):
    monitor.instrument()
thread.join()
import openai
from monitor.capture.transport import RecordingTransport
print(isinstance(openai.OpenAI(api_key="x")._client._transport, RecordingTransport))
"""
    assert output_of(program, MONITOR_HOME=str(world.directory)) == "True\n"


def test_a_fork_while_clients_are_made_is_safe(world: World) -> None:
    """The child has not the thread that was in the middle of it, and can make clients all the same."""
    program = """
import os, signal, threading
import httpx2, monitor
from openai import OpenAI

monitor.instrument()
is_over = threading.Event()

def make():
    # Without TLS, whose library has locks of its own.
    OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(print))).close()

def busy():
    while not is_over.is_set():
        make()

make()  # what the SDK imports late is imported now: a fork within an import is no business of ours
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
codes = set()
for _ in range(40):
    child = os.fork()
    if not child:
        signal.alarm(20)
        make()
        os._exit(0)
    codes.add(os.waitpid(child, 0)[1])
is_over.set()
for thread in threads:
    thread.join()
print(codes)
"""
    assert output_of(program, MONITOR_HOME=str(world.directory), PYTHONWARNINGS="ignore") == "{0}\n"


def test_the_sdk_is_found_by_whoever_finds_it(world: World) -> None:
    """Finders of the program stay in charge; a second import, of a fresh SDK, is looked after too."""
    program = """
import sys, monitor
class Finder:
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
sys.meta_path.insert(0, Finder())
monitor.instrument()
for _ in range(2):
    for name in [name for name in sys.modules if name.partition(".")[0] == "openai"]:
        del sys.modules[name]
    import openai
    from monitor.capture.transport import RecordingTransport
    assert isinstance(openai.OpenAI(api_key="x")._client._transport, RecordingTransport)
print(Finder.asked.count("openai._base_client"))
"""
    assert output_of(program, MONITOR_HOME=str(world.directory)) == "2\n"


def test_two_generations_of_settings(world: World, tmp_path: Path) -> None:
    """Another `instrument` may name another data directory."""
    other = World(tmp_path / "other")
    for one in (world, other):
        _instrument(one)
        with LoopbackServer(like_openai) as server, new_client(OpenAI, server) as client:
            _ask(client)

    assert (len(world.ends()), len(other.ends())) == (1, 1)


def test_the_module_stays_what_it_is(world: World) -> None:
    """Nothing is put into the SDK's namespace."""
    before = set(vars(openai._base_client))
    _instrument(world)

    assert set(vars(openai._base_client)) == before
