"""What a server says to a program with secrets: in turn good answers, streams and failures, all full of secrets."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.cassettes.server import Answer, Asked
from tests.privacy.canaries import CANARIES

_HEADERS: Final = (
    ("x-request-id", "req_1"),
    ("set-cookie", f"__cf_bm={CANARIES['set cookie']}"),
    ("x-internal", CANARIES["answer's own header"]),
)
_JSON: Final = (("content-type", "application/json"), *_HEADERS)
_EVENTS: Final = (("content-type", "text/event-stream"), *_HEADERS)
_USAGE: Final = {"prompt_tokens": 1_000_000, "completion_tokens": 10, "total_tokens": 1_000_010}
_RESPONSES_USAGE: Final = {"input_tokens": 1_000_000, "output_tokens": 10, "total_tokens": 1_000_010}
_CALL: Final = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "look_up", "arguments": json.dumps({"who": CANARIES["tool argument"]})},
}


def _chat() -> dict[str, Any]:
    message = {"role": "assistant", "content": CANARIES["answer"], "tool_calls": [_CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06"}
    return {**head, "choices": [choice], "usage": _USAGE, "metadata": {"note": CANARIES["metadata"]}}


def _chunks() -> Iterator[dict[str, Any]]:
    head = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
    yield {**head, "choices": [{"index": 0, "delta": {"content": CANARIES["streamed answer"]}, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **_CALL}]}, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**head, "choices": [], "usage": _USAGE}


def _response() -> dict[str, Any]:
    text = {"type": "output_text", "text": CANARIES["answer"], "annotations": []}
    items = [
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]},
        {"type": "mcp_call", "id": "m", "name": "x", "server_label": "own", "arguments": CANARIES["tool argument"]},
        {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": CANARIES["tool argument"]}},
    ]
    head = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o"}
    return {**head, "output": items, "usage": _RESPONSES_USAGE, "instructions": CANARIES["system prompt"]}


def _response_events() -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": {**_response(), "status": "in_progress", "usage": None}}
    yield {"type": "response.output_text.delta", "delta": CANARIES["streamed answer"]}
    yield {"type": "response.completed", "response": _response()}


def _stream(bodies: Iterator[dict[str, Any]], end: str = "") -> Answer:
    pieces = [
        (f"event: {body['type']}\n" if "type" in body else "") + f"data: {json.dumps(body)}\n\n" for body in bodies
    ]
    return Answer(headers=_EVENTS, pieces=tuple(piece.encode() for piece in (*pieces, end)), is_chunked=True)


def _other() -> dict[str, Any]:
    """Something for all other endpoints to find."""
    data = [{"b64_json": CANARIES["answer"], "embedding": [0.5], "id": "x", "revised_prompt": CANARIES["answer"]}]
    head = {"id": "x_1", "object": "list", "text": CANARIES["answer"], "filename": CANARIES["file name"]}
    return {**head, "data": data, "results": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def _good(asked: Asked) -> Answer:
    is_stream = b'"stream":true' in asked.body.replace(b" ", b"")
    if "/chat/completions" in asked.target:
        return _stream(_chunks(), "data: [DONE]\n\n") if is_stream else _json(_chat())
    if "/responses" in asked.target:
        return _stream(_response_events()) if is_stream else _json(_response())
    return _json(_other())


def _json(body: object, status: int = 200) -> Answer:
    return Answer(status=status, headers=_JSON, pieces=(json.dumps(body).encode(),))


def _refusal(status: int, code: str | None, kind: str = "invalid_request_error") -> Answer:
    said = f"Incorrect API key provided: {CANARIES['OpenAI key']}. {CANARIES['error message']}"
    return _json({"error": {"message": said, "type": kind, "param": "messages[0].content", "code": code}}, status)


_FAILURES: Final = (
    _refusal(400, "invalid_value"),
    _refusal(401, "invalid_api_key"),
    _refusal(429, "rate_limit_exceeded", "tokens"),
    _refusal(500, None, "server_error"),
    Answer(status=502, headers=(("content-type", "text/html"),), pieces=(CANARIES["error page"].encode(),)),
    Answer(status=200, headers=_JSON, pieces=(b'{"id": "' + CANARIES["answer"].encode(),)),
    Answer(hangs_up=True),
    Answer(headers=_EVENTS, pieces=(f"data: {CANARIES['streamed answer']}\n\n".encode(),), is_chunked=True),
)


def answers() -> Callable[[Asked], Answer]:
    """Two good answers, then a failure, and so on."""
    lock = threading.Lock()
    numbers, failures = itertools.count(), itertools.cycle(_FAILURES)

    def answer(asked: Asked) -> Answer:
        with lock:
            return next(failures) if next(numbers) % 3 == 2 else _good(asked)

    return answer
