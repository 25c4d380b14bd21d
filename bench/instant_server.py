"""A server for benchmarks: answers chat completions at once, from bytes made beforehand. Prints its port."""

import asyncio
import json
import sys

_HEADERS = (
    b"HTTP/1.1 200 OK\r\nx-request-id: req_0123456789abcdef\r\nopenai-organization: org-bench\r\n"
    b"openai-processing-ms: 12\r\nopenai-version: 2020-10-01\r\nx-ratelimit-limit-requests: 10000\r\n"
    b"x-ratelimit-limit-tokens: 2000000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-remaining-tokens: 1999000\r\nx-ratelimit-reset-requests: 6ms\r\nx-ratelimit-reset-tokens: 30ms\r\n"
)
_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
_BASE = {"id": "chatcmpl-bench", "created": 1, "model": "gpt-4o-mini-2024-07-18", "service_tier": "default"}
_CHUNKS = 200
_PADDING = "jsXSRopfbB1"
"""Of another length in each chunk, as OpenAI sends it."""


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _plain() -> bytes:
    message = {"role": "assistant", "content": "Hello. " * 40, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = _json({**_BASE, "object": "chat.completion", "choices": [choice], "usage": _USAGE})
    return _HEADERS + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def _stream(*, with_usage: bool) -> list[bytes]:
    more = {"usage": None} if with_usage else {}
    chunk = {**_BASE, "object": "chat.completion.chunk"}
    word = {"index": 0, "delta": {"content": " word"}, "finish_reason": None}
    deltas: list[dict[str, object]] = [word] * (_CHUNKS - 1)
    deltas.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [
        _json({**chunk, "choices": [delta], **more, "obfuscation": _PADDING[: 1 + number * 7 % 11]})
        for number, delta in enumerate(deltas)
    ]
    if with_usage:
        events.append(_json({**chunk, "choices": [], "usage": _USAGE}))
    pieces = [b"data: " + event + b"\n\n" for event in [*events, b"[DONE]"]]
    head = _HEADERS + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


PLAIN = _plain()
STREAMS = {True: _stream(with_usage=True), False: _stream(with_usage=False)}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            body = await reader.readexactly(length)
            if b'"stream":true' in body:
                for piece in STREAMS[b'"include_usage":true' in body]:
                    writer.write(piece)
            else:
                writer.write(PLAIN)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
