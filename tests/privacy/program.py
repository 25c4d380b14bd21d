"""A program that has many secrets, and makes calls of every kind with them; some fail.

python -m tests.privacy.program ADDRESS REALTIME RESPONSES

`ADDRESS` is that of a server that answers as `tests.privacy.answers`, the other two are of servers of sockets that talk
as there is said.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AzureOpenAI, DefaultHttpxClient, OpenAI
from websockets.exceptions import ConnectionClosed

import monitor
from tests.privacy.canaries import CANARIES, TAG, UNTOLD

_HEADERS = {
    "x-internal": CANARIES["organisation's own header"],
    "cookie": f"session={CANARIES['cookie']}",
    "x-amz-security-token": CANARIES["AWS token"],
}
_QUERY = {"api-key": CANARIES["query key"], "sig": CANARIES["query signature"]}
_MESSAGES: Any = [
    {"role": "system", "content": CANARIES["system prompt"]},
    {"role": "user", "content": CANARIES["prompt"]},
]
_TOOLS: Any = [
    {"type": "function", "function": {"name": "look_up", "description": CANARIES["tool description"], "parameters": {}}}
]
_MCP: Any = [
    {
        "type": "mcp",
        "server_label": "own",
        "server_url": f"https://mcp.example/{CANARIES['tool authorization']}",
        "authorization": CANARIES["tool authorization"],
        "headers": {"authorization": CANARIES["tool authorization"]},
    },
    {
        "type": "mcp",
        "server_label": "other",
        "server_url": f"https://{UNTOLD['user of an address']}@mcp.example/x?t={UNTOLD['query of an address']}",
        "authorization": UNTOLD["tool's own authorization"],
        "headers": {"x-team": UNTOLD["tool's own header"]},
    },
]
_FILE = (f"{CANARIES['file name']}.wav", CANARIES["uploaded file"].encode() * 100)
_EXPECTED = (openai.OpenAIError, httpx2.HTTPError, ValueError, AttributeError)
"""What the SDK raises for answers like these; the last, for a page where it expects an embedding."""

_Call = Callable[[Any], Any]


def _chat(client: Any, **named: Any) -> Any:
    more = {"extra_headers": _HEADERS, "extra_query": _QUERY, "metadata": {"note": CANARIES["metadata"]}, **named}
    return client.chat.completions.create(model="gpt-4o", messages=_MESSAGES, tools=_TOOLS, **more)


_CALLS: tuple[_Call, ...] = (
    _chat,
    lambda client: _chat(client, stream=True),
    lambda client: _chat(client.with_raw_response),
    lambda client: client.responses.create(model="gpt-4o", input=CANARIES["prompt"], tools=_MCP),
    lambda client: client.responses.create(model="gpt-4o", input=CANARIES["prompt"], stream=True),
    lambda client: client.completions.create(model="davinci-002", prompt=CANARIES["prompt"], suffix=CANARIES["prompt"]),
    lambda client: client.embeddings.create(model="text-embedding-3-small", input=CANARIES["embedded text"]),
    lambda client: client.moderations.create(input=CANARIES["prompt"]),
    lambda client: client.images.generate(model="gpt-image-1", prompt=CANARIES["prompt"]),
    lambda client: client.images.edit(model="gpt-image-1", image=_FILE, prompt=CANARIES["form field"]),
    lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input=CANARIES["prompt"]),
    lambda client: client.audio.transcriptions.create(model="whisper-1", file=_FILE, prompt=CANARIES["form field"]),
    lambda client: client.files.create(file=_FILE, purpose="user_data"),
    lambda client: client.files.list(extra_query=_QUERY),
    lambda client: client.files.content("file-1"),
    lambda client: client.batches.list(extra_query=_QUERY),
    lambda client: client.vector_stores.search("vs_1", query=CANARIES["prompt"]),
    lambda client: client.post("/vaults/credentials", cast_to=object, body={"secret": UNTOLD["vault secret"]}),
    lambda client: client.post(f"/own/{CANARIES['path']}", cast_to=object, body={"x": CANARIES["prompt"]}),
    lambda client: client.get(f"/own/{CANARIES['path']}/part", cast_to=object),
    lambda client: client.get(f"/{CANARIES['path']}", cast_to=object),
    lambda client: client._client.get(f"{str(client.base_url)[:-4]}/users/{CANARIES['path']}"),
)


def _made(kind: type[Any], **named: Any) -> Any:
    """A wrapped client; certificates are not loaded, which takes long."""
    with monitor.tag(outer=TAG):
        return monitor.wrap(kind(**{"api_key": CANARIES["OpenAI key"], "max_retries": 0, "timeout": 60.0, **named}))


def _clients(address: str) -> list[Any]:
    host = address.removeprefix("http://")
    proxy = f"http://user:{CANARIES['proxy password']}@127.0.0.1:9/"
    secret_host = f"http://{CANARIES['URL user']}:{CANARIES['URL password']}@{host}/{CANARIES['path']}/v1"
    return [
        _made(OpenAI, base_url=f"{address}/v1", max_retries=1),
        _made(OpenAI, base_url=f"{address}/v1", api_key=f"eyJhbGciOiJub25lIn0.{CANARIES['token']}.x"),
        _made(OpenAI, base_url=f"{address}/v1", api_key=UNTOLD["own key"]),
        _made(OpenAI, base_url=secret_host, default_query=_QUERY),
        _made(OpenAI, base_url=f"{address}/acct-{CANARIES['path']}/{CANARIES['base path']}"),
        _made(OpenAI, base_url=f"{address}/v1/{CANARIES['base path']}/gw/openai"),
        _made(OpenAI, base_url=f"{address}/v1", http_client=DefaultHttpxClient(proxy=proxy, verify=False)),
        _made(AzureOpenAI, azure_endpoint=address, api_version="2024-10-21", api_key=CANARIES["Azure key"]),
    ]


def _do(call: _Call, client: Any) -> None:
    with contextlib.suppress(*_EXPECTED), monitor.tag(note=TAG):
        found = call(client)
        if isinstance(found, openai.Stream):
            list(found)


async def _do_async(call: _Call, client: Any) -> None:
    with contextlib.suppress(*_EXPECTED):
        found = await call(client)
        if isinstance(found, openai.AsyncStream):
            async for _ in found:
                pass


async def _all_async(address: str) -> None:
    client = _made(AsyncOpenAI, base_url=f"{address}/v1")
    for call in _CALLS:
        await _do_async(call, client)
    await client.close()


def _talk(host: str, connect: Callable[[Any], Any], *sent: dict[str, Any]) -> None:
    """Over a socket, to where it breaks off."""
    addresses = {"base_url": f"http://{host}/v1", "websocket_base_url": f"ws://{host}/v1"}
    client = _made(OpenAI, api_key=UNTOLD["own key"], **addresses)
    with contextlib.suppress(ConnectionClosed), monitor.tag(note=TAG), connect(client) as connection:
        for message in sent:
            connection.send(message)
        for _ in connection:
            pass


_ASK = {"type": "response.create", "instructions": CANARIES["system prompt"], "tools": _MCP}
_ITEM = {
    "type": "conversation.item.create",
    "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": CANARIES["prompt"]}]},
}


def _main(address: str, realtime: str, responses: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    for name in ("monitor", "dashboard"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    for client in _clients(address):
        for call in _CALLS:
            _do(call, client)
        client.close()
    asyncio.run(_all_async(address))
    own = _made(OpenAI, base_url=f"{address}/v1", api_key=UNTOLD["own key"])
    # Of two in a row one is answered well.
    for client in (own, own, _made(OpenAI, base_url=f"{address}/v1/broken")):
        _do(lambda client: _chat(client, stream=True), client)
    _talk(realtime, lambda client: client.realtime.connect(model="gpt-realtime"), _ITEM, _ASK)
    _talk(responses, lambda client: client.responses.connect(), {**_ASK, "input": CANARIES["prompt"]})


if __name__ == "__main__":
    _main(*sys.argv[1:])
