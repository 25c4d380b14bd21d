"""Makes the recorded requests again, with the SDK's own methods where they fit, and keeps what the caller gets."""

import asyncio
import functools
import inspect
import json
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import openai
from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream, AzureOpenAI, OpenAI, Stream

import monitor
from tests.cassettes.material import MARK, Row

_KEY: Final = "sk-proj-recorded-traffic-0123456789"
_THREADS: Final = 4
_TASKS: Final = 8
_PATIENCE: Final = 300.0
"""Seconds. A busy machine takes longer to connect than the five that the SDK waits."""

_METHODS: Final = [
    (method, re.compile(pattern.replace("{}", "([^/]+)")), name)
    for method, pattern, name in (
        ("POST", "/chat/completions", "chat.completions.create"),
        ("GET", "/chat/completions", "chat.completions.list"),
        ("GET", "/chat/completions/{}", "chat.completions.retrieve"),
        ("POST", "/chat/completions/{}", "chat.completions.update"),
        ("DELETE", "/chat/completions/{}", "chat.completions.delete"),
        ("GET", "/chat/completions/{}/messages", "chat.completions.messages.list"),
        ("POST", "/completions", "completions.create"),
        ("POST", "/responses", "responses.create"),
        ("POST", "/responses/compact", "responses.compact"),
        ("POST", "/responses/input_tokens", "responses.input_tokens.count"),
        ("GET", "/responses/{}", "responses.retrieve"),
        ("DELETE", "/responses/{}", "responses.delete"),
        ("POST", "/responses/{}/cancel", "responses.cancel"),
        ("GET", "/responses/{}/input_items", "responses.input_items.list"),
        ("POST", "/embeddings", "embeddings.create"),
        ("POST", "/moderations", "moderations.create"),
        ("GET", "/models", "models.list"),
        ("GET", "/models/{}", "models.retrieve"),
        ("DELETE", "/models/{}", "models.delete"),
        ("GET", "/files", "files.list"),
        ("GET", "/files/{}", "files.retrieve"),
        ("DELETE", "/files/{}", "files.delete"),
        ("GET", "/files/{}/content", "files.content"),
        ("POST", "/images/generations", "images.generate"),
        ("POST", "/audio/speech", "audio.speech.create"),
        ("POST", "/batches", "batches.create"),
        ("GET", "/batches", "batches.list"),
        ("GET", "/batches/{}", "batches.retrieve"),
        ("POST", "/batches/{}/cancel", "batches.cancel"),
        ("POST", "/conversations", "conversations.create"),
        ("GET", "/conversations/{}", "conversations.retrieve"),
        ("DELETE", "/conversations/{}", "conversations.delete"),
        ("POST", "/containers", "containers.create"),
        ("GET", "/containers", "containers.list"),
        ("GET", "/containers/{}", "containers.retrieve"),
        ("DELETE", "/containers/{}", "containers.delete"),
        ("GET", "/fine_tuning/jobs", "fine_tuning.jobs.list"),
        ("GET", "/fine_tuning/jobs/{}", "fine_tuning.jobs.retrieve"),
        ("POST", "/uploads", "uploads.create"),
        ("POST", "/vector_stores", "vector_stores.create"),
        ("GET", "/vector_stores", "vector_stores.list"),
        ("GET", "/vector_stores/{}", "vector_stores.retrieve"),
        ("DELETE", "/vector_stores/{}", "vector_stores.delete"),
    )
]
_AZURE_DEPLOYMENT: Final = re.compile(r"/(?P<slash>/?)openai/deployments/(?P<deployment>[^/]+)(?P<rest>/.*)")
_PREFIXES: Final = ("/openai/v1", "/v1")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the caller got: a plain value, or the facts of an exception."""

    value: object = None
    error: tuple[object, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class _Where:
    """Which client a request belongs to, and its path below that client's base."""

    prefix: str
    deployment: str | None
    version: str | None
    path: str
    query: tuple[tuple[str, str], ...]


Watch = Callable[[Any, str | None], Any]
"""Takes a new client and the provider behind it, and gives back the client to use."""


def wrapped(settings: monitor.settings.Settings) -> Watch:
    """Watch every client."""
    return lambda client, provider: monitor.wrap(client, provider=provider, settings=settings)


def unwatched(client: Any, provider: str | None) -> Any:
    """Leave every client as it is."""
    return client


def replay(rows: Sequence[Row], address: str, watch: Watch) -> dict[str, Told]:
    """Make all requests again, most from threads and a fourth from tasks; what each caller got, by id."""
    told: dict[str, Told] = {}
    with ExitStack() as stack, ThreadPoolExecutor(_THREADS) as threads:
        clients = _Clients(address, watch, OpenAI, AzureOpenAI, stack)
        sync = [row for row in rows if not _is_async(row)]
        for row in sync:
            clients.of(row)  # made here: two threads would make the same one
        for row, result in zip(sync, threads.map(functools.partial(_ask, clients), sync), strict=True):
            told[row.id] = result
    told |= asyncio.run(_replay_async([row for row in rows if _is_async(row)], address, watch))
    return told


async def _replay_async(rows: Sequence[Row], address: str, watch: Watch) -> dict[str, Told]:
    limit = asyncio.Semaphore(_TASKS)
    async with AsyncExitStack() as stack:
        clients = _Clients(address, watch, AsyncOpenAI, AsyncAzureOpenAI, None)

        async def ask(row: Row) -> Told:
            async with limit:
                return await _ask_async(clients, row)

        results = await asyncio.gather(*(ask(row) for row in rows))
        for client in clients.all():
            await stack.enter_async_context(client)
    return {row.id: result for row, result in zip(rows, results, strict=True)}


def _is_async(row: Row) -> bool:
    return int(row.id[:8], 16) % 4 == 0


class _Clients:
    """One client for each kind of address."""

    def __init__(self, address: str, watch: Watch, plain: Any, azure: Any, stack: ExitStack | None) -> None:
        self._address = address
        self._watch = watch
        self._plain = plain
        self._azure = azure
        self._stack = stack
        self._made: dict[tuple[str, str | None, str | None, bool], Any] = {}

    def of(self, row: Row) -> Any:
        where = _where(row)
        key = (where.prefix, where.deployment, where.version, row.is_azure)
        if key not in self._made:
            self._made[key] = self._make(where, "azure.ai.openai" if row.is_azure else None)
        return self._made[key]

    def all(self) -> Iterable[Any]:
        return self._made.values()

    def _make(self, where: _Where, provider: str | None) -> Any:
        if where.deployment is None:
            client = self._plain(api_key=_KEY, base_url=self._address + where.prefix, max_retries=0, timeout=_PATIENCE)
        else:
            client = self._azure(
                api_key=_KEY,
                azure_endpoint=self._address + where.prefix,
                azure_deployment=where.deployment,
                api_version=where.version or "2024-02-01",
                max_retries=0,
                timeout=_PATIENCE,
            )
        if self._stack is not None:
            self._stack.enter_context(client)
        return self._watch(client, provider)


def _where(row: Row) -> _Where:
    url = urlsplit(row.url)
    query = tuple(parse_qsl(url.query, keep_blank_values=True))
    version = dict(query).get("api-version")
    rest = tuple(pair for pair in query if pair[0] != "api-version")
    azure = _AZURE_DEPLOYMENT.fullmatch(url.path)
    if azure:
        return _Where(
            prefix=azure["slash"], deployment=azure["deployment"], version=version, path=azure["rest"], query=rest
        )
    prefix = next((prefix for prefix in _PREFIXES if url.path.startswith(f"{prefix}/")), "")
    return _Where(prefix=prefix, deployment=None, version=None, path=url.path.removeprefix(prefix), query=query)


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """One call of a client: the method and its arguments."""

    method: Callable[..., Any]
    positional: tuple[object, ...]
    named: dict[str, object]


def _asking(client: Any, row: Row) -> _Asking:
    where = _where(row)
    return _own_method(client, row, where) or _low_level(client, row, where)


def _own_method(client: Any, row: Row, where: _Where) -> _Asking | None:
    body = row.asked_for()
    if body is None and row.request_body is not None:
        return None
    named = body or {}
    if row.is_event_stream and not named.get("stream"):
        # The request is lost, or asks for the stream in its query: only the low level can be told so.
        return None
    for method, pattern, name in _METHODS:
        match = pattern.fullmatch(where.path) if method == row.method else None
        if match is None:
            continue
        found = operator.attrgetter(name)(client)
        if _fits(found, len(match.groups()), named):
            more: dict[str, object] = {"extra_headers": {MARK: row.id}, "extra_query": dict(where.query) or None}
            return _Asking(method=found, positional=match.groups(), named={**named, **more})
    return None


def _fits(method: Callable[..., Any], positional: int, named: dict[str, Any]) -> bool:
    parameters = list(inspect.signature(method).parameters.values())[positional:]
    known = {parameter.name for parameter in parameters}
    needed = {p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    return needed <= set(named) <= known - {"timeout", "extra_headers", "extra_query", "extra_body"}


def _low_level(client: Any, row: Row, where: _Where) -> _Asking:
    headers = {MARK: row.id}
    if row.request_body is not None:
        headers["Content-Type"] = row.request_headers.get("content-type") or "application/json"
    if headers.get("Content-Type", "").startswith("multipart/"):
        # The SDK only sends forms that it builds itself; these go out as they were recorded.
        headers["Authorization"] = f"Bearer {_KEY}"
        url = str(client.base_url).rstrip("/") + where.path
        return _Asking(
            method=client._client.request,
            positional=(row.method, url),
            named={"content": row.request_body, "headers": headers, "params": dict(where.query)},
        )
    named: dict[str, Any] = {"cast_to": object, "options": {"headers": headers, "params": dict(where.query)}}
    if row.method != "GET" and row.request_body is not None:
        named["content"] = row.request_body
    if row.is_event_stream:
        is_async = isinstance(client, AsyncOpenAI)
        named |= {"stream": True, "stream_cls": AsyncStream[object] if is_async else Stream[object]}
    return _Asking(method=getattr(client, row.method.lower()), positional=(where.path,), named=named)


def _ask(clients: _Clients, row: Row) -> Told:
    try:
        with monitor.tag(cassette=row.id):
            asking = _asking(clients.of(row), row)
            result = asking.method(*asking.positional, **asking.named)
            if isinstance(result, Stream):
                return Told(value=[plain(chunk) for chunk in result])
            return Told(value=plain(result))
    except (openai.OpenAIError, ValueError) as error:
        return Told(error=facts_of(error))


async def _ask_async(clients: _Clients, row: Row) -> Told:
    try:
        with monitor.tag(cassette=row.id):
            asking = _asking(clients.of(row), row)
            result = await asking.method(*asking.positional, **asking.named)
            if isinstance(result, AsyncStream):
                return Told(value=[plain(chunk) async for chunk in result])
            return Told(value=plain(result))
    except (openai.OpenAIError, ValueError) as error:
        return Told(error=facts_of(error))


def plain(value: Any) -> object:
    """A result of the SDK as something that can be compared: its type and its content."""
    if hasattr(value, "to_dict"):
        return type(value).__qualname__, value.to_dict(warnings=False)
    if hasattr(value, "content") and isinstance(value.content, bytes):
        return type(value).__qualname__, value.content
    return type(value).__qualname__, value


def facts_of(error: Exception) -> tuple[object, ...]:
    """What a program can see of an exception of the SDK."""
    names = ("status_code", "code", "type", "param", "request_id", "message", "body")
    return (
        type(error).__qualname__,
        str(error),
        *(json.dumps(getattr(error, name, None), default=str) for name in names),
    )
