"""Makes the calls of the matrix, each unwatched and then watched, and prints as JSON what a program sees.

python -m tests.matrix.program ADDRESS HOME < CASES

Runs in the environment of any SDK: beside it and this project's wrapper only the standard library is there.
"""

import asyncio
import contextlib
import gc
import inspect
import json
import logging
import operator
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import openai

import monitor
from monitor.capture.wrap import HEALTH
from monitor.settings import Settings
from tests.matrix.cases import MARK, PLAIN, RUN, WATCHED, Case, case_of
from tests.matrix.clients import MissingError, new_client

T = TypeVar("T")
_PASSING = ("date", "server")


async def got(value: Any) -> Any:
    """A result, awaited where that is needed."""
    return await value if inspect.isawaitable(value) else value


async def items(stream: Any) -> list[Any]:
    """All that iterating gives."""
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


def plain(value: Any) -> object:
    """A result as JSON: its type and its content."""
    if hasattr(value, "to_dict"):
        return [type(value).__qualname__, value.to_dict(mode="json", warnings=False)]
    if isinstance(getattr(value, "content", None), bytes):
        return [type(value).__qualname__, value.content.hex()]
    return [type(value).__qualname__, value.hex() if isinstance(value, bytes) else value]


def _headers(response: Any) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in response.headers.multi_items() if name not in _PASSING)


async def _parsed(method: Any, case: Case, named: dict[str, Any]) -> list[object]:
    value = await got(method(*case.called.positional, **named))
    if case.called.is_stream:
        return [type(value).__qualname__, [plain(chunk) for chunk in await items(value)], value.response.status_code]
    return [plain(value), getattr(value, "_request_id", None)]


async def _raw(method: Any, case: Case, named: dict[str, Any]) -> list[object]:
    raw = await got(method(*case.called.positional, **named))
    value = await got(raw.parse())
    head = [type(raw).__qualname__, raw.status_code, _headers(raw)]
    if case.called.is_stream:
        return [*head, [plain(chunk) for chunk in await items(value)]]
    return [*head, plain(value), raw.content.hex(), raw.http_version]


async def _streaming(method: Any, case: Case, named: dict[str, Any]) -> list[object]:
    manager = method(*case.called.positional, **named)
    if hasattr(manager, "__aenter__"):
        async with manager as response:
            return await _read(response, case)
    with manager as response:
        return await _read(response, case)


async def _read(response: Any, case: Case) -> list[object]:
    head = [type(response).__qualname__, response.status_code, _headers(response)]
    if case.called.is_stream:
        return [*head, await items(response.iter_lines())]
    if case.called.is_binary:
        return [*head, b"".join(await items(response.iter_bytes())).hex()]
    return [*head, plain(await got(response.parse()))]


_READ = {"parsed": _parsed, "raw": _raw, "streaming": _streaming}
_OWNER = {"parsed": "", "raw": ".with_raw_response", "streaming": ".with_streaming_response"}


async def see(client: Any, case: Case, run: str) -> list[object]:
    """What a program sees of one call, its exception included."""
    resource, _, name = case.called.method.rpartition(".")
    copy = client.with_options(max_retries=case.retries)
    try:
        method = operator.attrgetter(f"{resource}{_OWNER[case.reading]}.{name}")(copy)
    except AttributeError:
        raise MissingError(f"this openai has no {case.called.method}") from None
    named = {**case.called.named, "extra_headers": {MARK: case.name, RUN: run}}
    try:
        with monitor.tag(case=case.name):
            return await _READ[case.reading](method, case, named)
    except Exception as error:  # noqa: BLE001 - whatever it is, a watched program must see the same
        return facts_of(error)


def facts_of(error: BaseException) -> list[object]:
    """What a program can see of an exception."""
    names = ("status_code", "code", "type", "param", "request_id", "message", "body")
    cause = error.__cause__ or error.__context__
    return [
        type(error).__qualname__,
        str(error),
        *(json.dumps(getattr(error, name, None), default=str) for name in names),
        type(cause).__qualname__,
    ]


class Program:
    """Keeps one client of each kind: making one takes longer than most calls."""

    def __init__(self, address: str, home: Path) -> None:
        self._address = address
        self._settings = Settings(home=home)
        self._clients: dict[tuple[str, str, str], Any] = {}
        self.seen: dict[str, list[list[object]]] = {}
        self.missing: dict[str, str] = {}

    async def run(self, cases: list[Case]) -> None:
        """Make every call twice."""
        for case in cases:
            try:
                self.seen[case.name] = [await see(self._client(case, run), case, run) for run in (PLAIN, WATCHED)]
            except MissingError as missing:
                self.missing[case.name] = str(missing)

    async def close(self) -> None:
        """Close all clients of this loop."""
        for client in self._clients.values():
            with contextlib.suppress(RuntimeError):
                await got(client.close())
        self._clients.clear()

    def _client(self, case: Case, run: str) -> Any:
        key = (case.client, case.mode, run)
        if key not in self._clients:
            client = new_client(case.client, case.mode, self._address)
            if run == WATCHED:
                client = monitor.wrap(client, settings=self._settings)
            self._clients[key] = client.with_options(timeout=30) if case.client == "copy" else client
        return self._clients[key]


async def _main(program: Program, cases: list[Case]) -> None:
    await program.run(cases)
    await program.close()
    # A stream that broke off is recorded at the latest when nobody holds it any more.
    gc.collect()


if __name__ == "__main__":
    # The aiohttp client of openai 1.x leaves connections open, watched or not, and the loop tells of each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    program = Program(sys.argv[1], Path(sys.argv[2]))
    asyncio.run(_main(program, [case_of(values) for values in json.load(sys.stdin)]))
    facts = {
        "version": openai.__version__,
        "libraries": {name: version(name) for name in ("openai", "msgspec", "pydantic")},
        "seen": program.seen,
        "missing": program.missing,
        "counters": dict(HEALTH.counts()),
    }
    sys.stdout.write(json.dumps(facts, default=str))
