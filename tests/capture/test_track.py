"""`monitor.track` around real clients: what they spend is known when the call returns."""

import asyncio
from decimal import Decimal
from typing import Any

import openai
import pytest

import monitor
from monitor.settings import Settings
from tests.capture.world import (
    MESSAGES,
    World,
    always,
    async_client,
    error_answer,
    in_turn,
    json_answer,
    like_openai,
    opened,
)
from tests.cassettes.server import Answer, LoopbackServer

_COST = Decimal(14) * Decimal("2.5e-6") + 4 * Decimal("10e-6")
_SETTINGS = Settings()
_OPENAI: dict[str, Any] = {"provider": "openai"}


def _ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES, **more)


def test_a_call_is_counted_when_it_returns(world: World) -> None:
    """Tokens and dollars, without a server."""
    with opened(like_openai) as client, monitor.track(settings=_SETTINGS) as spend:
        world.wrap(client, **_OPENAI)
        _ask(client)
        after_one = spend.list_cost
        _ask(client)

    assert (after_one, spend.list_cost) == (_COST, 2 * _COST)
    assert (spend.calls, spend.input_tokens, spend.output_tokens) == (2, 28, 8)
    assert list(spend.by_model) == ["gpt-4o-2024-08-06"]


def test_retries_are_requests_of_one_call(world: World) -> None:
    """The refused one costs nothing."""
    answers = in_turn(error_answer(500, retry_after_ms="1"), json_answer())
    with opened(answers, max_retries=1) as client, monitor.track(settings=_SETTINGS) as spend:
        world.wrap(client, **_OPENAI)
        _ask(client)

    assert (spend.requests, spend.calls, spend.list_cost) == (2, 1, _COST)


def test_a_stream_is_pending_until_it_is_read(world: World) -> None:
    """Its usage is told though the program did not ask for it."""
    with opened(like_openai) as client:
        world.wrap(client, **_OPENAI)
        with monitor.track(settings=_SETTINGS) as spend:
            stream = _ask(client, stream=True)
            before = spend.pending, spend.requests
        list(stream)

    assert before == (1, 0)
    assert (spend.pending, spend.list_cost) == (0, _COST)


def test_a_connection_that_fails_is_counted(world: World) -> None:
    """It is not pending for ever."""
    with opened(always(Answer(hangs_up=True))) as client:
        world.wrap(client, **_OPENAI)
        with monitor.track(settings=_SETTINGS) as spend, pytest.raises(openai.APIConnectionError):
            _ask(client)

    assert (spend.requests, spend.pending) == (1, 0)


def test_calls_of_other_tasks_are_not_counted(world: World) -> None:
    """Blocks of tasks that run at the same time stay apart."""

    async def spent(client: Any, calls: int) -> monitor.Spend:
        with monitor.track(settings=_SETTINGS) as spend:
            await asyncio.gather(*(_ask(client) for _ in range(calls)))
        return spend

    async def run() -> tuple[monitor.Spend, monitor.Spend]:
        with LoopbackServer(like_openai) as server:
            async with async_client(server) as client:
                world.wrap(client, **_OPENAI)
                return await asyncio.gather(spent(client, 2), spent(client, 3))

    assert [(spend.requests, spend.list_cost) for spend in asyncio.run(run())] == [(2, 2 * _COST), (3, 3 * _COST)]


def test_what_is_told_is_what_is_stored(world: World) -> None:
    """The record on the spool has the same figures."""
    with opened(like_openai) as client, monitor.track(settings=_SETTINGS) as spend:
        world.wrap(client, **_OPENAI)
        _ask(client)
    line = world.end()

    assert (line["input_tokens"], line["output_tokens"]) == (spend.input_tokens, spend.output_tokens)
