"""The pretended API as an ASGI application: what it answers, without the server that carries it."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from monitor.demo.asks import Ask, read_chat, read_embedding, read_response
from monitor.demo.chat_bodies import chunks, completion
from monitor.demo.connection import cut
from monitor.demo.embedding_bodies import embeddings
from monitor.demo.faults import ErrorRates, Fault, Troubles, invalid, not_found, rate_limited, too_long
from monitor.demo.limits import LimitState, RateLimits
from monitor.demo.models import MODELS, Model
from monitor.demo.prompt_cache import PromptCache
from monitor.demo.replies import Reply, make_reply
from monitor.demo.response_bodies import events, response
from monitor.demo.words import tokens_of

ORGANIZATION: Final = "org-demo7QmVxYcL2sTtR9fKpBwZ"
"""The organisation all keys of the demo belong to."""

_CREATED: Final = 1_790_000_000


def project_of(key: str) -> str:
    """The project an API key belongs to, as the API names it in its headers."""
    return "proj_" + hashlib.sha256(key.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    read: Callable[[dict[str, Any]], Ask]
    body: Callable[[Reply], dict[str, Any]]
    stream: Callable[[Reply], Iterator[bytes]] | None = None


_ENDPOINTS: Final = {
    "/v1/chat/completions": _Endpoint(read_chat, completion, chunks),
    "/v1/responses": _Endpoint(read_response, response, events),
    "/v1/embeddings": _Endpoint(read_embedding, embeddings),
}


class Api:
    """Answers the requests of one pretended API; lives in one event loop."""

    def __init__(self, *, seed: int, errors: ErrorRates, speed: float) -> None:
        """Make an API.

        Args:
            seed: the same requests in the same order get the same answers.
            errors: how often what fails.
            speed: the times of answers are divided by it; 0 means that nothing waits.
        """
        self._seed = seed
        self._speed = speed
        self.requests = 0
        """How many came so far."""
        self._limits = RateLimits()
        self._cache = PromptCache()
        self._troubles = Troubles(errors)
        self._hurry = asyncio.Event()

    def app(self) -> Starlette:
        """The application that serves this API."""
        posts = [Route(path, self._serve, methods=["POST"]) for path in _ENDPOINTS]
        gets = [Route("/v1/models", _list_models), Route("/v1/models/{name}", _show_model)]
        return Starlette(routes=[*posts, *gets], exception_handlers={404: _unknown_url, 405: _unknown_method})

    def hurry(self) -> None:
        """Let everything that waits end at once, now and from now on."""
        self._hurry.set()

    async def _serve(self, request: Request) -> Response:
        self.requests += 1
        random = Random(f"{self._seed}:{self.requests}")  # noqa: S311 - nothing secret
        headers = _headers(request, random)
        endpoint = _ENDPOINTS[request.url.path]
        ask = _read(await request.body(), endpoint.read, request)
        if isinstance(ask, Fault):
            return _refuse(ask, headers)
        state: LimitState | None = None
        model = MODELS.get(ask.model)
        if model is None:
            fault: Fault | None = not_found(ask.model)
        else:
            now = time.monotonic()
            state = self._limits.take(model, tokens=tokens_of(ask.text) + (ask.output_limit or 0), at=now)
            fault = self._fault(random, ask, model, state)
        if fault or model is None or state is None:
            await self._pause(random.uniform(0.02, 0.15))
            return _refuse(fault or not_found(ask.model), headers | _limit_headers(fault, state))
        return await self._answer(request, random, ask, model, headers | state.headers())

    def _fault(self, random: Random, ask: Ask, model: Model, state: LimitState) -> Fault | None:
        if state.exceeded:
            return rate_limited(model, state.exceeded, wait=state.reset, organization=ORGANIZATION)
        tokens = tokens_of(ask.text)
        if tokens > model.context_window:
            return too_long(model, tokens)
        return self._troubles.draw(random, model, organization=ORGANIZATION)

    async def _answer(
        self, request: Request, random: Random, ask: Ask, model: Model, headers: dict[str, str]
    ) -> Response:
        endpoint = _ENDPOINTS[request.url.path]
        cached = 0
        if not model.is_embedding:
            owner = f"{headers['openai-project']} {model.name}"
            cached = self._cache.read(owner, ask.text, at=time.monotonic())
        reply = make_reply(random, ask, model, cached_tokens=cached, created=int(time.time()))
        is_streaming = ask.is_streaming and endpoint.stream is not None
        server_time = reply.timing.first_chunk if is_streaming else reply.timing.duration
        headers["openai-processing-ms"] = str(round(server_time * 1000))
        if endpoint.stream is not None and is_streaming:
            breaks_off = self._troubles.draw_break(random)
            parts = self._paced(request, list(endpoint.stream(reply)), reply, breaks_off=breaks_off)
            return StreamingResponse(parts, media_type="text/event-stream", headers=headers)
        await self._pause(reply.timing.duration)
        return _json(endpoint.body(reply), 200, headers)

    async def _paced(
        self, request: Request, parts: list[bytes], reply: Reply, *, breaks_off: bool
    ) -> AsyncIterator[bytes]:
        await self._pause(reply.timing.first_chunk)
        gap = (reply.timing.duration - reply.timing.first_chunk) / len(parts)
        for number, part in enumerate(parts):
            if breaks_off and number >= len(parts) // 2:
                await cut(request)
                return
            yield part
            await self._pause(gap)

    async def _pause(self, seconds: float) -> None:
        if self._speed <= 0 or self._hurry.is_set():
            return
        try:
            async with asyncio.timeout(seconds / self._speed):
                await self._hurry.wait()
        except TimeoutError:
            return


def _read(content: bytes, read: Callable[[dict[str, Any]], Ask], request: Request) -> Ask | Fault:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return invalid("You didn't provide an API key.", status=401)
    try:
        body = json.loads(content)
    except ValueError:
        return invalid("We could not parse the JSON body of your request.")
    if not isinstance(body, dict) or not body.get("model"):
        return invalid("you must provide a model parameter")
    return read(body)


def _headers(request: Request, random: Random) -> dict[str, str]:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    return {
        "x-request-id": f"req_{random.getrandbits(128):032x}",
        "openai-organization": ORGANIZATION,
        "openai-project": project_of(key),
        "openai-processing-ms": str(random.randint(8, 60)),
        "openai-version": "2020-10-01",
    }


def _limit_headers(fault: Fault | None, state: LimitState | None) -> dict[str, str]:
    if fault is None or state is None or fault.code != "rate_limit_exceeded":
        return {}
    return state.headers() | {f"x-ratelimit-remaining-{fault.type}": "0"}


def _refuse(fault: Fault, headers: dict[str, str]) -> Response:
    return _json(fault.body(), fault.status, headers | fault.headers)


def _json(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def _model(model: Model) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": _CREATED, "owned_by": "system"}


async def _list_models(request: Request) -> Response:
    body = {"object": "list", "data": [_model(model) for model in MODELS.values()]}
    return _json(body, 200, _headers(request, Random()))  # noqa: S311 - nothing secret


async def _show_model(request: Request) -> Response:
    name = request.path_params["name"]
    headers = _headers(request, Random())  # noqa: S311 - nothing secret
    if name not in MODELS:
        return _refuse(not_found(name), headers)
    return _json(_model(MODELS[name]), 200, headers)


async def _unknown_url(request: Request, _: Exception) -> Response:
    message = f"Invalid URL ({request.method} {request.url.path})"
    return _refuse(invalid(message, status=404, code="unknown_url"), _headers(request, Random()))  # noqa: S311


async def _unknown_method(request: Request, _: Exception) -> Response:
    message = f"Not allowed to {request.method} on {request.url.path}."
    return _refuse(invalid(message, status=405, code="method_not_supported"), _headers(request, Random()))  # noqa: S311
