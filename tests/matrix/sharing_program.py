"""Clients that share an HTTP client, copies with another one, and requests that a program makes with it itself.

python -m tests.matrix.sharing_program ADDRESS HOME

Runs in the environment of any SDK; each call is tagged with its case. The server answers everything with a chat.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import openai

import monitor
from monitor.capture.wrap import HEALTH
from monitor.settings import Settings
from tests.matrix.clients import KEY
from tests.matrix.program import got

SECRET: Final = "acct-Secret4711"
"""Stands in the path of a base URL."""


class Makers:
    """Makes clients of one mode."""

    def __init__(self, address: str, home: Path, mode: str) -> None:
        self.address = address
        self.mode = mode
        self.settings = Settings(home=home)
        self._is_async = mode == "async"

    def http_client(self) -> Any:
        """A client of the HTTP library that this SDK is made for."""
        kind: Any = openai.DefaultAsyncHttpxClient if self._is_async else openai.DefaultHttpxClient
        return kind(verify=False, follow_redirects=True)

    def client(self, http_client: Any, path: str = "/v1") -> Any:
        """A client that is not wrapped."""
        kind: Any = openai.AsyncOpenAI if self._is_async else openai.OpenAI
        return kind(api_key=KEY, base_url=f"{self.address}{path}", max_retries=0, http_client=http_client)

    def azure(self, http_client: Any) -> Any:
        """A client for Azure that is not wrapped."""
        kind: Any = openai.AsyncAzureOpenAI if self._is_async else openai.AzureOpenAI
        return kind(
            api_key=KEY,
            azure_endpoint=self.address,
            api_version="2024-10-21",
            max_retries=0,
            http_client=http_client,
        )

    def wrap(self, client: Any, **named: Any) -> Any:
        """The same client, wrapped."""
        return monitor.wrap(client, settings=self.settings, **named)


async def _ask(client: Any) -> None:
    await got(client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Where?"}]))


async def _copies(makers: Makers) -> None:
    for client in (makers.client(makers.http_client()), makers.azure(makers.http_client())):
        makers.wrap(client, service="copied")
        copy = client.copy(http_client=makers.http_client())
        await _ask(copy)
        await _ask(copy.with_options(http_client=makers.http_client(), timeout=9))
        await _ask(monitor.unwrap(copy))


async def _shared(makers: Makers) -> None:
    http_client = makers.http_client()
    first, second = makers.client(http_client), makers.client(http_client)
    makers.wrap(first, service="first", content=True)
    makers.wrap(second, service="second", content=False)
    for client in (first, second, second.with_options(timeout=9), second.copy(http_client=makers.http_client())):
        await _ask(client)
    monitor.unwrap(second)
    for client in (first, second):
        await _ask(client)


async def _own(makers: Makers) -> None:
    http_client = makers.http_client()
    client = makers.wrap(makers.client(http_client), service="own")
    await got(http_client.get(f"{makers.address}/internal/users/alice"))
    await _ask(client)
    await got(
        http_client.post(f"{makers.address}/v1/embeddings", json={"model": "m", "input": "asked without the SDK"})
    )
    await got(client.get("/moved", cast_to=object))


async def _paths(makers: Makers) -> None:
    for path in (f"/{SECRET}/gw", f"/v1/{SECRET}/gw/openai"):
        client = makers.wrap(makers.client(makers.http_client(), path))
        await got(client.get(f"/pieces/{SECRET}", cast_to=object))
        await _ask(client)


CASES: Final[dict[str, Callable[[Makers], Awaitable[None]]]] = {
    "copies": _copies,
    "shared": _shared,
    "own": _own,
    "paths": _paths,
}


async def _main(address: str, home: Path) -> None:
    for mode in ("sync", "async"):
        for name, case in CASES.items():
            with monitor.tag(case=f"{name} {mode}"):
                await case(Makers(address, home, mode))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2])))
    sys.stdout.write(json.dumps({"version": openai.__version__, "counters": dict(HEALTH.counts())}))
