"""What the tests of capture share: answers of the API, wrapped clients, and the spool read back."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

import monitor
from monitor.settings import Settings
from tests.cassettes.server import Answer, Asked, LoopbackServer

KEY: Final = "sk-proj-tests-of-capture-0123456789"
MESSAGES: Final = cast("Any", [{"role": "user", "content": "What is the capital of France?"}])
JSON: Final = (("content-type", "application/json"), ("x-request-id", "req_test"))
EVENTS: Final = (("content-type", "text/event-stream; charset=utf-8"), ("x-request-id", "req_test"))
USAGE: Final = {"prompt_tokens": 14, "completion_tokens": 4, "total_tokens": 18}
CHAT: Final = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1795168800,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": USAGE,
}
KINDS: Final = pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI], ids=["sync", "async"])
TEXTS: Final = ("Pa", "ris — ", 'is it, "usage":null said ', "[DONE] \U0001f5fc.")


class World:
    """A data directory, and what stands on its spool."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.settings = Settings(home=directory)

    def wrap(self, client: Any, **named: Any) -> Any:
        return monitor.wrap(client, settings=named.pop("settings", self.settings), **named)

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines of the spool, segment by segment."""
        paths = sorted((self.directory / "spool").glob("*.ndjson"))
        return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]

    def begins(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["kind"] == "begin"]

    def ends(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["kind"] == "end"]

    def end(self) -> dict[str, Any]:
        """The only record."""
        (line,) = self.ends()
        return line

    def contents(self) -> list[dict[str, Any]]:
        """All that is kept of prompts and answers."""
        paths = sorted((self.directory / "content").glob("*.ndjson"))
        lines = [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]
        return [line for line in lines if line["kind"] == "content"]

    def content(self) -> bytes:
        """Every byte of every file of the data directory."""
        return b"".join(path.read_bytes() for path in sorted(self.directory.rglob("*")) if path.is_file())


def json_answer(body: object = CHAT, *, status: int = 200, headers: tuple[tuple[str, str], ...] = JSON) -> Answer:
    return Answer(status=status, headers=headers, pieces=(json.dumps(body).encode(),))


def error_answer(status: int, *, code: str | None = None, kind: str = "server_error", **headers: str) -> Answer:
    body = {"error": {"message": f"Refused with {status}.", "type": kind, "param": None, "code": code}}
    more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return json_answer(body, status=status, headers=JSON + more)


def chunks(*, has_usage: bool) -> list[dict[str, Any]]:
    """The chunks of a chat stream as OpenAI sends them."""
    head: dict[str, Any] = {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1795168800,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in TEXTS), {}]
    found = []
    for number, delta in enumerate(deltas):
        reason = "stop" if number == len(deltas) - 1 else None
        chunk = {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
        found.append({**chunk, "usage": None, "obfuscation": "x"} if has_usage else {**chunk, "obfuscation": "x"})
    if has_usage:
        found.append({**head, "choices": [], "usage": USAGE, "obfuscation": "y"})
    return found


def events(bodies: list[dict[str, Any]], *, has_done: bool = True, end: str = "\n") -> tuple[bytes, ...]:
    """An event stream, one piece an event."""
    pieces = [f"data: {json.dumps(body, separators=(',', ':'), ensure_ascii=False)}{end}{end}" for body in bodies]
    if has_done:
        pieces.append(f"data: [DONE]{end}{end}")
    return tuple(piece.encode() for piece in pieces)


def like_openai(asked: Asked) -> Answer:
    """Answers chat requests as OpenAI does: usage in a stream only when asked for."""
    body = json.loads(asked.body)
    if not body.get("stream"):
        return json_answer()
    has_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    return Answer(headers=EVENTS, pieces=events(chunks(has_usage=has_usage)), is_chunked=True)


def options_of(asked: Asked) -> Any:
    """What the server was asked to do with a stream; None where nothing was said of it."""
    return json.loads(asked.body).get("stream_options")


def always(answer: Answer) -> Callable[[Asked], Answer]:
    return lambda _: answer


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """One answer a request, in this order."""
    left: Iterator[Answer] = iter(answers)
    return lambda _: next(left)


@contextmanager
def opened(answer: Callable[[Asked], Answer], world: World | None = None, **named: Any) -> Iterator[Any]:
    """A sync client of a server that answers so; wrapped where a world is given. `client.server` is the server."""
    with LoopbackServer(answer) as server, new_client(OpenAI, server, **named) as client:
        if world is not None:
            world.wrap(client)
        vars(client)["server"] = server
        yield client


def async_client(server: LoopbackServer, world: World | None = None, **named: Any) -> AsyncOpenAI:
    """An async client of a running server; wrapped where a world is given."""
    client: AsyncOpenAI = new_client(AsyncOpenAI, server, **named)
    return client if world is None else world.wrap(client)


def new_client(kind: type[Any], server: LoopbackServer, **named: Any) -> Any:
    """A client of a running server. Certificates are not loaded: that takes longer than most tests."""
    http_client = DefaultHttpxClient if kind is OpenAI else DefaultAsyncHttpxClient
    return kind(
        **{
            "api_key": KEY,
            "base_url": f"{server.address}/v1",
            "max_retries": 0,
            # A busy machine takes longer to connect than the five seconds that the SDK waits.
            "timeout": 60.0,
            "http_client": http_client(verify=False),
            **named,
        }
    )
