"""Runs the pretended company: its services call the API through wrapped clients, as real programs would."""

import asyncio
import contextlib
import threading
import time
from typing import Final

import openai
from openai import AsyncOpenAI, OpenAI

import monitor
from monitor.demo.cast import ASYNC_SERVICES, SYNC_SERVICES
from monitor.demo.company import Service
from monitor.demo.live import LiveCall, Script
from monitor.settings import Settings

_STOP_TIMEOUT: Final = 2.0
_RETRIES: Final = 2
_LONGEST_CALL: Final = 3.0
_MOST_WORKERS: Final = 16
_PATIENCE: Final = 2.0


class Workload:
    """The services of the demo, calling from `start` to `stop`; each has a client with a key of its own."""

    def __init__(self, base_url: str, settings: Settings, *, pace: float = 1.0, seed: int = 0) -> None:
        """Make nothing yet.

        Args:
            base_url: where the pretended API is.
            settings: given to `monitor.wrap`.
            pace: 1 is about four calls a second, 2 twice as many.
            seed: what is called in which order.
        """
        self._services: list[_SyncService | _AsyncService] = [
            *(_SyncService(service, base_url, settings, pace, seed) for service in SYNC_SERVICES),
            *(_AsyncService(service, base_url, settings, pace, seed) for service in ASYNC_SERVICES),
        ]

    def start(self) -> None:
        """Begin to call."""
        for service in self._services:
            service.start()

    def stop(self) -> None:
        """End: no call begins any more, and those under way have two seconds to finish; may be called twice."""
        deadline = time.monotonic() + _STOP_TIMEOUT
        for service in self._services:
            service.ask_to_stop()
        for service in self._services:
            service.join(deadline)


class _SyncService:
    """Some threads that share one client, as the workers of a web server do."""

    def __init__(self, service: Service[OpenAI], base_url: str, settings: Settings, pace: float, seed: int) -> None:
        client = OpenAI(api_key=service.key, base_url=base_url, max_retries=_RETRIES)
        self._client = monitor.wrap(
            client, service=service.name, environment=service.environment, provider="openai", settings=settings
        )
        self._stopping = threading.Event()
        count = min(_MOST_WORKERS, 1 + int(service.live_rate * pace * _LONGEST_CALL))
        scripts = [
            Script(service, pace=pace / count, seed=f"{service.name} {seed} {number}") for number in range(count)
        ]
        self._left = count
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(script,), name=f"{service.name}-{number}", daemon=True)
            for number, script in enumerate(scripts)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        self._stopping.set()

    def join(self, deadline: float) -> None:
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, script: Script[OpenAI]) -> None:
        try:
            due = time.monotonic() + script.gap()
            while not self._stopping.wait(max(0.0, due - time.monotonic())):
                self._call(script.next_call())
                # Late calls are made up for, but not without end.
                due = max(due + script.gap(), time.monotonic() - _PATIENCE)
        finally:
            self._leave()

    def _call(self, call: LiveCall[OpenAI]) -> None:
        with contextlib.suppress(openai.APIError), monitor.tag(**call.tags):
            call.run(self._client, call.prompt)

    def _leave(self) -> None:
        # The last one closes the client: a worker may still be in a call when `join` has given up on it.
        with self._lock:
            self._left -= 1
            if self._left:
                return
        self._client.close()


class _AsyncService:
    """One event loop in a thread, with a task for each call."""

    def __init__(
        self, service: Service[AsyncOpenAI], base_url: str, settings: Settings, pace: float, seed: int
    ) -> None:
        self._service = service
        self._base_url = base_url
        self._settings = settings
        self._script = Script(service, pace=pace, seed=f"{service.name} {seed}")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=service.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        with self._lock:
            if self._loop is None:
                self._stopping.set()
            elif not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._stopping.set)

    def join(self, deadline: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        with self._lock:
            self._loop = asyncio.get_running_loop()
        service = self._service
        client = AsyncOpenAI(api_key=service.key, base_url=self._base_url, max_retries=_RETRIES)
        wrapped = monitor.wrap(
            client, service=service.name, environment=service.environment, provider="openai", settings=self._settings
        )
        calls: set[asyncio.Task[None]] = set()
        async with wrapped:
            while not await self._stops_within(self._script.gap()):
                task = asyncio.create_task(self._call(wrapped, self._script.next_call()))
                calls.add(task)
                task.add_done_callback(calls.discard)
            for task in calls:
                task.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _call(self, client: AsyncOpenAI, call: LiveCall[AsyncOpenAI]) -> None:
        with contextlib.suppress(openai.APIError), monitor.tag(**call.tags):
            await call.run(client, call.prompt)
