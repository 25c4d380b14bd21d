"""Calls very often in each way, and prints as JSON what the process held after half of its calls and at their end.

python -m tests.flow.leaking_app CALLS WAY...
"""

import asyncio
import gc
import json
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai

from monitor.capture.wrap import HEALTH
from tests.flow.pretend import pretended_api
from tests.flow.telling import MESSAGES, MODEL, new_async_client, new_client

_FILES = Path("/proc/self/fd")


def _silent() -> httpx2.MockTransport:
    return pretended_api(lambda name: None)


def _refusing() -> httpx2.MockTransport:
    error = {"error": {"message": "Refused.", "type": "invalid_request_error", "param": None, "code": "no"}}
    return httpx2.MockTransport(lambda request: httpx2.Response(400, json=error))


def _unreachable() -> httpx2.MockTransport:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    return httpx2.MockTransport(answer)


def _ask(client: Any, **named: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=MESSAGES, **named)


def plain() -> Callable[[], None]:
    client = new_client(_silent())
    return lambda: _ask(client)


def streamed() -> Callable[[], None]:
    client = new_client(_silent())
    return lambda: list(_ask(client, stream=True)).clear()


def left() -> Callable[[], None]:
    """Streams that are left after the first chunk and never closed."""
    client = new_client(_silent())
    return lambda: next(_ask(client, stream=True)) and None


def unread() -> Callable[[], None]:
    """Streams that nobody reads."""
    client = new_client(_silent())
    return lambda: _ask(client, stream=True) and None


def _failing(client: Any) -> Callable[[], None]:
    def work() -> None:
        try:
            _ask(client)
        except openai.OpenAIError:
            return
        raise AssertionError("The call did not fail.")

    return work


def refused() -> Callable[[], None]:
    return _failing(new_client(_refusing()))


def unreachable() -> Callable[[], None]:
    return _failing(new_client(_unreachable()))


def clients() -> Callable[[], None]:
    """A new client for each call."""

    def work() -> None:
        with new_client(_silent()) as client:
            _ask(client)

    return work


_SYNC = {work.__name__: work for work in (plain, streamed, left, unread, refused, unreachable, clients)}


async def tasks(client: Any) -> None:
    await _ask(client)


async def streams_of_tasks(client: Any) -> None:
    async with await _ask(client, stream=True) as chunks:
        async for _ in chunks:
            pass


async def cancelled(client: Any) -> None:
    task = asyncio.ensure_future(streams_of_tasks(client))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


_ASYNC = {work.__name__: work for work in (tasks, streams_of_tasks, cancelled)}
WAYS = (*_SYNC, *_ASYNC)


def _files() -> int:
    """The fewest open files of several looks: the timed flush holds one for a moment."""
    found = []
    for _ in range(10 if _FILES.is_dir() else 0):
        found.append(len(list(_FILES.iterdir())))
        threading.Event().wait(0.02)
    return min(found, default=0)


def held() -> dict[str, int]:
    """What this process holds now that nothing is left to collect."""
    for _ in range(3):
        gc.collect()
    return {
        "blocks": sys.getallocatedblocks(),
        "files": _files(),
        "threads": threading.active_count(),
        # Kilobytes on Linux; it never shrinks.
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _calling(way: str, calls: int) -> list[dict[str, int]]:
    work = _SYNC[way]()
    found = []
    for number in range(calls):
        work()
        if number == calls // 2:
            found.append(held())
    return [*found, held()]


async def _calling_async(way: str, calls: int) -> list[dict[str, int]]:
    work = _ASYNC[way]
    found = []
    async with new_async_client(_silent()) as client:
        for number in range(calls):
            await work(client)
            if number == calls // 2:
                await asyncio.sleep(0)
                found.append(held())
        await asyncio.sleep(0)
        return [*found, held()]


def _held_by(way: str, calls: int) -> list[dict[str, int]]:
    return asyncio.run(_calling_async(way, calls)) if way in _ASYNC else _calling(way, calls)


if __name__ == "__main__":
    calls = int(sys.argv[1])
    found = {way: _held_by(way, calls) for way in sys.argv[2:]}
    sys.stdout.write(json.dumps({"held": found, "counters": dict(HEALTH.counts())}))
