"""What small programs share: a client of an API inside the process, and lines that tell what was begun and returned.

Lines go to standard output unbuffered, one `write` each, so that threads and forks do not mix them:
`begun`, `offered ID`, `returned ID`.
"""

import os
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

import monitor
from tests.flow.pretend import pretended_api

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Is it?"}]
MODEL = "gpt-4o-mini"


def tell(line: str) -> None:
    """Tell at once."""
    os.write(1, f"{line}\n".encode())


def new_client(transport: httpx2.MockTransport | None = None) -> OpenAI:
    """A watched client; the transport answers at once and tells what it offers, unless another is given."""
    transport = transport or pretended_api(lambda name: tell(f"offered {name}"))
    return monitor.wrap(OpenAI(api_key="sk-none", max_retries=0, http_client=httpx2.Client(transport=transport)))


def new_async_client(transport: httpx2.AsyncBaseTransport | None = None) -> AsyncOpenAI:
    """The same for tasks."""
    transport = transport or pretended_api(lambda name: tell(f"offered {name}"))
    client = AsyncOpenAI(api_key="sk-none", max_retries=0, http_client=httpx2.AsyncClient(transport=transport))
    return monitor.wrap(client)


def call(client: OpenAI) -> str:
    """A plain call, told of."""
    tell("begun")
    name = client.chat.completions.create(model=MODEL, messages=MESSAGES).id
    tell(f"returned {name}")
    return name


def open_stream(client: OpenAI) -> Any:
    """A stream of a call that is begun; whoever reads it tells the rest."""
    tell("begun")
    return client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)


def stream(client: OpenAI) -> str:
    """A streamed call read to its end, told of."""
    with open_stream(client) as chunks:
        (name,) = {chunk.id for chunk in chunks}
    tell(f"returned {name}")
    return str(name)


async def call_async(client: AsyncOpenAI) -> str:
    """A plain call, told of."""
    tell("begun")
    name = (await client.chat.completions.create(model=MODEL, messages=MESSAGES)).id
    tell(f"returned {name}")
    return name


async def stream_async(client: AsyncOpenAI) -> str:
    """A streamed call read to its end, told of."""
    tell("begun")
    async with await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True) as chunks:
        (name,) = {chunk.id async for chunk in chunks}
    tell(f"returned {name}")
    return name
