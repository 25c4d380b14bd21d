"""An API inside the calling process: it answers at once, with an id of its own for each request."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2

MODEL = "gpt-4o-mini-2024-07-18"
INPUT_TOKENS = 1_000
OUTPUT_TOKENS = 100
_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that comes piece by piece."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def pretended_api(tell: Callable[[str], None]) -> httpx2.MockTransport:
    """A transport that answers chat calls, streamed ones too; `tell` hears each id before the answer is given."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        name = f"chatcmpl-{secrets.token_hex(12)}"
        tell(name)
        if not asked.get("stream"):
            return httpx2.Response(200, json=_completion(name))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(*_events(name)))

    return httpx2.MockTransport(answer)


def _completion(name: str) -> dict[str, object]:
    message = {"role": "assistant", "content": "Yes."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": name, "object": "chat.completion", "created": 1, "model": MODEL}
    return {**head, "choices": [choice], "usage": _USAGE}


def _events(name: str) -> Iterator[bytes]:
    head = {"id": name, "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    for word in ("Yes", ", ", "it ", "is."):
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        yield _event({**head, "choices": [choice], "usage": None})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None})
    yield _event({**head, "choices": [], "usage": _USAGE})
    yield b"data: [DONE]\n\n"


def _event(value: dict[str, object]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()
