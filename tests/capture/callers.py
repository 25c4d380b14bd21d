"""What programs do with a client, written once for sync and async; each says all that the program could see."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx2
import openai

from tests.capture.world import MESSAGES
from tests.cassettes.replay import facts_of, plain

Seen = list[object]
"""What a program saw, step by step."""

Caller = Callable[[Any, "Hands"], Awaitable[Seen]]


class Hands:
    """The steps that differ between sync and async clients."""

    async def got(self, value: Any) -> Any:
        """A result, awaited where that is needed."""
        return await value if inspect.isawaitable(value) else value

    async def items(self, stream: Any, most: int | None = None) -> list[Any]:
        """What iterating gives; leaves the loop after so many."""
        found: list[Any] = []
        if hasattr(stream, "__aiter__"):
            async for item in stream:
                found.append(item)
                if len(found) == most:
                    break
        else:
            for item in stream:
                found.append(item)
                if len(found) == most:
                    break
        return found


def _ask(client: Any, **named: Any) -> Any:
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES, **named})


async def plain_call(client: Any, hands: Hands) -> Seen:
    answer = await hands.got(_ask(client))
    return [plain(answer), type(answer), getattr(answer, "_request_id", None)]


async def other_options(client: Any, hands: Hands) -> Seen:
    copy = client.with_options(timeout=7.5, max_retries=1, default_headers={"x-own": "1"})
    return [plain(await hands.got(_ask(copy))), copy.timeout]


async def raw_response(client: Any, hands: Hands) -> Seen:
    raw = await hands.got(_ask(client.with_raw_response))
    headers = [(name, value) for name, value in raw.headers.multi_items() if name != "date"]
    return [type(raw), raw.status_code, headers, plain(await hands.got(raw.parse())), raw.http_version, raw.text]


async def raw_stream(client: Any, hands: Hands) -> Seen:
    raw = await hands.got(_ask(client.with_raw_response, stream=True))
    stream = await hands.got(raw.parse())
    return [raw.status_code, [plain(chunk) for chunk in await hands.items(stream)]]


async def whole_stream(client: Any, hands: Hands) -> Seen:
    stream = await hands.got(_ask(client, stream=True))
    found = [plain(chunk) for chunk in await hands.items(stream)]
    return [type(stream), found, stream.response.status_code, stream.response.headers.get("content-type")]


async def stream_with_usage(client: Any, hands: Hands) -> Seen:
    stream = await hands.got(_ask(client, stream=True, stream_options={"include_usage": True}))
    return [[plain(chunk) for chunk in await hands.items(stream)]]


async def stream_without_usage(client: Any, hands: Hands) -> Seen:
    stream = await hands.got(_ask(client, stream=True, stream_options={"include_usage": False}))
    return [[plain(chunk) for chunk in await hands.items(stream)]]


async def stream_left_and_closed(client: Any, hands: Hands) -> Seen:
    stream = await hands.got(_ask(client, stream=True))
    found = [plain(chunk) for chunk in await hands.items(stream, most=2)]
    await hands.got(stream.close())
    return [found, stream.response.is_closed]


async def stream_left_in_a_block(client: Any, hands: Hands) -> Seen:
    stream = await hands.got(_ask(client, stream=True))
    if hasattr(stream, "__aenter__"):
        async with stream:
            found = await hands.items(stream, most=3)
    else:
        with stream:
            found = await hands.items(stream, most=3)
    return [[plain(chunk) for chunk in found], stream.response.is_closed]


async def stream_closed_unread(client: Any, hands: Hands) -> Seen:
    stream = await hands.got(_ask(client, stream=True))
    await hands.got(stream.close())
    return [stream.response.is_closed]


async def helper_stream(client: Any, hands: Hands) -> Seen:
    manager = client.chat.completions.stream(model="gpt-4o", messages=MESSAGES)
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            kinds = [event.type for event in await hands.items(stream)]
            final = await stream.get_final_completion()
    else:
        with manager as stream:
            kinds = [event.type for event in await hands.items(stream)]
            final = stream.get_final_completion()
    return [kinds, plain(final)]


async def lines_of_a_streaming_response(client: Any, hands: Hands) -> Seen:
    manager = _ask(client.with_streaming_response, stream=True)
    if hasattr(manager, "__aenter__"):
        async with manager as response:
            return [response.status_code, await hands.items(response.iter_lines())]
    with manager as response:
        return [response.status_code, await hands.items(response.iter_lines())]


async def bytes_of_a_streaming_response(client: Any, hands: Hands) -> Seen:
    manager = _ask(client.with_streaming_response)
    if hasattr(manager, "__aenter__"):
        async with manager as response:
            return [b"".join(await hands.items(response.iter_bytes()))]
    with manager as response:
        return [b"".join(await hands.items(response.iter_bytes()))]


async def streaming_response_left_early(client: Any, hands: Hands) -> Seen:
    manager = _ask(client.with_streaming_response, stream=True)
    if hasattr(manager, "__aenter__"):
        async with manager as response:
            found = await hands.items(response.iter_lines(), most=1)
    else:
        with manager as response:
            found = await hands.items(response.iter_lines(), most=1)
    return [found, response.is_closed]


async def streaming_response_left_unread(client: Any, hands: Hands) -> Seen:
    manager = _ask(client.with_streaming_response)
    if hasattr(manager, "__aenter__"):
        async with manager as response:
            status = response.status_code
    else:
        with manager as response:
            status = response.status_code
    return [status, response.is_closed]


async def two_calls_at_once(client: Any, hands: Hands) -> Seen:
    first = await hands.got(_ask(client, stream=True))
    second = await hands.got(_ask(client))
    return [[plain(chunk) for chunk in await hands.items(first)], plain(second)]


async def form(client: Any, hands: Hands) -> Seen:
    answer = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"\x00" * 70_000), language="de")
    return [plain(await hands.got(answer))]


CALLERS: Final[tuple[Caller, ...]] = (
    plain_call,
    other_options,
    raw_response,
    raw_stream,
    whole_stream,
    stream_with_usage,
    stream_without_usage,
    stream_left_and_closed,
    stream_left_in_a_block,
    stream_closed_unread,
    helper_stream,
    lines_of_a_streaming_response,
    bytes_of_a_streaming_response,
    streaming_response_left_early,
    streaming_response_left_unread,
    two_calls_at_once,
)


async def seen_by(caller: Caller, client: Any) -> Seen:
    """What a program sees, its exception included; the client is closed."""
    hands = Hands()
    try:
        return await caller(client, hands)
    except (openai.OpenAIError, httpx2.HTTPError, ValueError, RecursionError) as error:
        return [facts_of(error), type(error.__cause__)]
    finally:
        await hands.got(client.close())


def see(caller: Caller, client: Any) -> Seen:
    return asyncio.run(seen_by(caller, client))
