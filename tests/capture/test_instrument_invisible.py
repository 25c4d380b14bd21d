"""`instrument` changes nothing that a program sees, fails in silence, and can be taken back."""

import inspect
import pickle
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai._base_client import AsyncAPIClient, SyncAPIClient

import monitor
from monitor.settings import Settings
from tests.capture.instrumented import ask, instrument, is_recorded
from tests.capture.program import output_of
from tests.capture.world import KEY, World, like_openai, opened

pytestmark = pytest.mark.usefixtures("own_classes")


def test_uninstrument_gives_the_classes_back(world: World) -> None:
    """They are what they were; clients that are recorded stay so until they are unwrapped."""
    own = (SyncAPIClient.__init__, AsyncAPIClient.__init__)
    instrument(world)
    with OpenAI(api_key=KEY) as before:
        monitor.uninstrument()
        monitor.uninstrument()

        assert (SyncAPIClient.__init__, AsyncAPIClient.__init__) == own
        assert is_recorded(before)
        assert not is_recorded(monitor.unwrap(before))
    with OpenAI(api_key=KEY) as after:
        assert not is_recorded(after)


def test_what_somebody_put_around_it_stays(world: World) -> None:
    """Another library may patch the same place: its patch stays, ours inside it does nothing any more."""
    own = SyncAPIClient.__init__
    instrument(world)
    ours, seen = SyncAPIClient.__init__, []

    def theirs(self: Any, **named: Any) -> None:
        seen.append(type(self))
        ours(self, **named)

    changed: Any = SyncAPIClient
    changed.__init__ = theirs
    try:
        monitor.uninstrument()
        with OpenAI(api_key=KEY) as client:
            assert not is_recorded(client)
        instrument(world)
        with OpenAI(api_key=KEY) as client:
            assert is_recorded(client)
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
        assert ask(client).id == "chatcmpl-1"


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
    instrument(world)

    assert look() == before


def test_the_module_stays_what_it_is(world: World) -> None:
    """Nothing is put into the SDK's namespace."""
    before = set(vars(openai._base_client))
    instrument(world)

    assert set(vars(openai._base_client)) == before
