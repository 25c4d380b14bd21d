"""Calls in ways that get in each other's way: threads, cancelled tasks, signals inside calls, collections inside locks.

python -m tests.flow.crowded_app WAY TIMES
"""

import asyncio
import contextlib
import gc
import json
import random
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from monitor.capture.wrap import HEALTH
from tests.flow.pretend import Pieces, pretended_api
from tests.flow.telling import (
    call,
    call_async,
    new_async_client,
    new_client,
    open_stream,
    stream,
    stream_async,
    tell,
)

_THREADS = 32
_TASKS = 24
_OFTEN = 0.001
_FILES = Path("/proc/self/fd")


class _SlowApi(httpx2.AsyncBaseTransport):
    """Answers as the pretended API does, after some turns of the loop: there a task can be cancelled."""

    def __init__(self) -> None:
        self._inner = pretended_api(lambda name: tell(f"offered {name}"))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await _some_turns()
        response = self._inner.handle_request(request)
        if isinstance(response.stream, Pieces):
            response.stream = _SlowBody(response.stream)
        await _some_turns()
        return response


class _SlowBody(httpx2.AsyncByteStream):
    def __init__(self, inner: Pieces) -> None:
        self._inner = inner

    async def __aiter__(self) -> Any:
        for piece in self._inner:
            await _some_turns()
            yield piece


async def _some_turns() -> None:
    for _ in range(random.randrange(4)):
        await asyncio.sleep(0)


def threads(times: int) -> None:
    """Many threads, one client."""
    client = new_client()
    start = threading.Barrier(_THREADS)

    def work() -> None:
        start.wait()
        for _ in range(times // _THREADS):
            call(client)
            stream(client)

    crowd = [threading.Thread(target=work) for _ in range(_THREADS)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()


def cancelled_tasks(times: int) -> None:
    """Tasks that are cancelled at any moment."""

    async def run() -> None:
        async with new_async_client(_SlowApi()) as client:
            for _ in range(times // _TASKS):
                works = [(call_async, stream_async)[number % 2](client) for number in range(_TASKS)]
                tasks = [asyncio.ensure_future(work) for work in works]
                for task in tasks:
                    await _some_turns()
                    if random.random() < 0.7:
                        task.cancel()
                await asyncio.wait(tasks)

    asyncio.run(run())


def timed_out_groups(times: int) -> None:
    """Groups of tasks in which one fails, or for which the time runs out."""

    async def failing() -> None:
        await _some_turns()
        await _some_turns()
        raise LookupError

    async def group(client: Any, *, has_failure: bool) -> None:
        async with asyncio.timeout(None if has_failure else random.random() / 50), asyncio.TaskGroup() as tasks:
            for number in range(_TASKS // 4):
                tasks.create_task((call_async, stream_async)[number % 2](client))
            if has_failure:
                tasks.create_task(failing())

    async def run() -> None:
        async with new_async_client(_SlowApi()) as client:
            for number in range(times // _TASKS * 4):
                with contextlib.suppress(TimeoutError, ExceptionGroup):
                    await group(client, has_failure=bool(number % 2))

    asyncio.run(run())


def _with_alarms(times: int, client: Any) -> None:
    left = times

    def interrupt(*_: object) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            call(client)
            signal.setitimer(signal.ITIMER_REAL, random.random() * _OFTEN)

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, _OFTEN)
    while left > 0:
        call(client)
        stream(client)
    signal.setitimer(signal.ITIMER_REAL, 0)


def calls_in_signals(times: int) -> None:
    """A signal's handler calls, often inside another call of the same client."""
    client = new_client()
    # The SDK loads a part of itself at the first call, which must not be interrupted.
    stream(client)
    _with_alarms(times, client)


def calls_in_signals_without_disk(times: int) -> None:
    """The same, while nothing can be recorded: each line is dropped and counted."""
    client = new_client()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))
    stream(client)
    _with_alarms(times, client)


def collected_streams(times: int) -> None:
    """Streams that are left in cycles, collected anywhere: inside calls, and inside the recorder's own locks."""
    client = new_client()
    gc.set_threshold(7, 2, 2)
    for number in range(times):
        chunks = open_stream(client)
        if number % 2:
            next(chunks)
        cycle: list[object] = [chunks]
        cycle.append(cycle)
        del chunks, cycle
        call(client)
    gc.collect()


class _Calling:
    """Calls when it is collected."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.itself = self

    def __del__(self) -> None:
        call(self.client)


def calls_in_finalizers(times: int) -> None:
    """Whole calls made by the garbage collector, wherever it happens to run."""
    client = new_client()
    gc.set_threshold(40, 5, 5)
    for _ in range(times):
        _Calling(client)
        call(client)
    gc.collect()


def many_streams_at_once(times: int) -> None:
    """Streams of one client read in turns, some of them left."""
    client = new_client()
    for _ in range(times // _TASKS):
        opened = [open_stream(client) for _ in range(_TASKS)]
        random.shuffle(opened)
        for number, chunks in enumerate(opened):
            names = {chunk.id for chunk in (chunks if number % 3 else [next(chunks)])}
            chunks.close()
            if number % 3:
                tell(f"returned {names.pop()}")


WAYS: dict[str, Callable[[int], None]] = {
    work.__name__: work
    for work in (
        threads,
        cancelled_tasks,
        timed_out_groups,
        calls_in_signals,
        calls_in_signals_without_disk,
        collected_streams,
        calls_in_finalizers,
        many_streams_at_once,
    )
}
WITHOUT_DISK = frozenset({"calls_in_signals_without_disk"})
"""Ways in which nothing can be stored."""

if __name__ == "__main__":
    WAYS[sys.argv[1]](int(sys.argv[2]))
    gc.collect()
    files = len(list(_FILES.iterdir())) if _FILES.is_dir() else 0
    sys.stderr.write(json.dumps({"files": files, "counters": dict(HEALTH.counts())}))
