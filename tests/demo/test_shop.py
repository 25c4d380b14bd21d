import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from monitor.demo.cast import ASYNC_SERVICES, SERVICES, SYNC_SERVICES
from monitor.demo.company import Feature
from monitor.demo.fake_api import FakeOpenAI
from monitor.demo.faults import NO_ERRORS
from monitor.demo.programs import as_program, place_of
from monitor.demo.prompts import Prompt

SYNC = [pytest.param(feature, id=feature.name) for service in SYNC_SERVICES for feature in service.features]
ASYNC = [pytest.param(feature, id=feature.name) for service in ASYNC_SERVICES for feature in service.features]


@pytest.fixture(scope="module")
def api() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(seed=1, errors=NO_ERRORS, speed=0) as running:
        yield running


def prompt_for(feature: Feature[Any]) -> Prompt:
    model = next(iter(feature.models))
    return Prompt(model=model, system="Be kind. " * 20, text="What goes with it? " * 20, output_limit=200, user="u_1")


@pytest.mark.parametrize("feature", SYNC)
def test_every_program_works_with_an_ordinary_client(api: FakeOpenAI, feature: Feature[OpenAI]) -> None:
    """The functions of the shop know of no monitor: a plain client is enough."""
    with OpenAI(api_key="sk-demo", base_url=api.base_url, max_retries=0) as client:
        assert feature.call(client, prompt_for(feature))


@pytest.mark.parametrize("feature", ASYNC)
def test_every_async_program_works_with_an_ordinary_client(api: FakeOpenAI, feature: Feature[AsyncOpenAI]) -> None:
    """The asynchronous ones too."""

    async def run() -> object:
        async with AsyncOpenAI(api_key="sk-demo", base_url=api.base_url, max_retries=0) as client:
            return await feature.call(client, prompt_for(feature))

    assert asyncio.run(run())


def test_programs_look_like_code_outside_of_this_package() -> None:
    """The frame of a program names a module and a file of the shop, and the line that the past names too."""

    def fake(*_: object, **__: object) -> None:
        frame = sys._getframe(1)
        function = f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"
        seen.append((frame.f_code.co_filename, frame.f_lineno, function))
        raise InterruptedError

    feature = SYNC_SERVICES[1].features[1]
    seen: list[tuple[str, int, str]] = []
    client = type("Client", (), {})()
    client.chat = client.completions = client
    client.create = fake
    with pytest.raises(InterruptedError):
        as_program(feature)(client, prompt_for(feature))

    assert seen == [place_of(feature)]
    assert seen[0][2].startswith("shop.support_bot.")


def test_keys_and_feature_names_are_unique() -> None:
    """Each service has a key and each feature a name of its own."""
    features = [feature.name for service in SERVICES for feature in service.features]

    assert len({service.key for service in SERVICES}) == len(SERVICES)
    assert len(set(features)) == len(features)
