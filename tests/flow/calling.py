"""Ways in which programs call: one after the other, from threads, streamed, from tasks. Each tells of what it does.

What is told goes down a pipe unbuffered, a line each: `begun` before a call, `offered ID` before its answer is given,
`returned ID` when the call has come back with it, before the next one begins.
"""

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

import monitor
from monitor.settings import Settings
from tests.flow.pretend import pretended_api

AT_ONCE = 4
_MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Is it?"}]
_MODEL = "gpt-4o-mini"
_SMALL = 8 * 2**10


class Caller:
    """Calls until it is told to stop, or is killed."""

    def __init__(self, home: Path, told: int, *, pause: float = 0.0) -> None:
        """Nothing is called yet.

        Args:
            home: the data directory.
            told: a file descriptor to tell on.
            pause: seconds to wait after each call.
        """
        # Small segments, so that their change falls under the blows as well.
        self._settings = Settings(home=home, segment_size=_SMALL)
        self._told = told
        self._pause = pause
        self.stopping = threading.Event()

    def one_by_one(self) -> None:
        """Plain calls."""
        self._plain(self._client())

    def streamed(self) -> None:
        """Streamed calls, read to their end."""
        client = self._client()
        while not self._stops():
            self._tell("begun")
            with client.chat.completions.create(model=_MODEL, messages=_MESSAGES, stream=True) as stream:
                names = {chunk.id for chunk in stream}
            self._tell(f"returned {names.pop()}")

    def from_threads(self) -> None:
        """Threads that share a client; this one is among them."""
        client = self._client()
        others = [
            threading.Thread(target=contextvars.copy_context().run, args=(self._plain, client))
            for _ in range(AT_ONCE - 1)
        ]
        for thread in others:
            thread.start()
        self._plain(client)
        for thread in others:
            thread.join()

    def from_tasks(self) -> None:
        """Tasks of one event loop, half of them streaming."""
        asyncio.run(self._tasks())

    async def _tasks(self) -> None:
        transport = pretended_api(self._offer)
        client = AsyncOpenAI(api_key="sk-none", max_retries=0, http_client=httpx2.AsyncClient(transport=transport))
        async with monitor.wrap(client, settings=self._settings) as wrapped:
            await asyncio.gather(
                *(self._task(wrapped, is_streaming=bool(number % 2)) for number in range(AT_ONCE)),
            )

    async def _task(self, client: AsyncOpenAI, *, is_streaming: bool) -> None:
        while not self.stopping.is_set():
            self._tell("begun")
            if is_streaming:
                async with await client.chat.completions.create(
                    model=_MODEL, messages=_MESSAGES, stream=True
                ) as stream:
                    name = {chunk.id async for chunk in stream}.pop()
            else:
                name = (await client.chat.completions.create(model=_MODEL, messages=_MESSAGES)).id
            self._tell(f"returned {name}")
            await asyncio.sleep(self._pause)

    def _plain(self, client: OpenAI) -> None:
        while not self._stops():
            self._tell("begun")
            answer = client.chat.completions.create(model=_MODEL, messages=_MESSAGES)
            self._tell(f"returned {answer.id}")

    def _client(self) -> OpenAI:
        transport = pretended_api(self._offer)
        client = OpenAI(api_key="sk-none", max_retries=0, http_client=httpx2.Client(transport=transport))
        return monitor.wrap(client, settings=self._settings)

    def _stops(self) -> bool:
        return self.stopping.wait(self._pause)

    def _offer(self, name: str) -> None:
        self._tell(f"offered {name}")

    def _tell(self, line: str) -> None:
        os.write(self._told, f"{line}\n".encode())


WAYS: dict[str, Callable[[Caller], None]] = {
    "one by one": Caller.one_by_one,
    "streamed": Caller.streamed,
    "from threads": Caller.from_threads,
    "from tasks": Caller.from_tasks,
}
