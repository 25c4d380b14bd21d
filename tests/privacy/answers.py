"""What a server says to a program with secrets: in turn good answers, streams and failures, all full of secrets."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.capture.batch_files import a_line, chat_body, refused
from tests.capture.socket_programs import created, response_event, transcribed
from tests.capture.socket_server import HEAR, Frame, said
from tests.cassettes.server import Answer, Asked
from tests.privacy.canaries import CANARIES, HALF, UNTOLD, UNTOLD_HALF

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


_ESCAPED: Final = UNTOLD["key in escapes"].replace("-", "\\u002d")
_PASSWORD: Final = {
    "id": "call_2",
    "type": "function",
    "function": {"name": "log_in", "arguments": f'{{"password": "{UNTOLD["password of a tool"]}", "x": "{_ESCAPED}"}}'},
}
_TOKEN: Final = UNTOLD["token with its likelihood"]
_LOGPROBS: Final = {"content": [{"token": _TOKEN, "bytes": [*_TOKEN.encode()], "logprob": -1, "top_logprobs": []}]}


def _own_key(asked: Asked) -> str:
    """That of the request, where it is one that looks like nothing."""
    own = UNTOLD["own key"]
    return own if own in asked.headers.get("authorization", "") else ""


def _chat(own: str) -> dict[str, Any]:
    text = f"{CANARIES['answer']} for {own} and {UNTOLD['key of others']}"
    message = {"role": "assistant", "content": text, "tool_calls": [_CALL, _PASSWORD]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": _LOGPROBS}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06"}
    return {**head, "choices": [choice], "usage": _USAGE, "metadata": {"note": CANARIES["metadata"]}}


def _halves(text: str) -> tuple[str, str]:
    return text[:10], text[10:]


def _deltas(own: str) -> Iterator[dict[str, Any]]:
    """Secrets in pieces, whose numbers are missing."""
    for half in _halves(f" {UNTOLD['streamed key']} for {own} "):
        yield {"content": half}
    for half in _halves(UNTOLD["streamed argument"]):
        yield {"tool_calls": [{"function": {"arguments": half}}]}
    for half in _halves(UNTOLD["streamed thought"]):
        yield {"reasoning_details": [{"type": "reasoning.text", "text": half}]}


def _chunks(own: str) -> Iterator[dict[str, Any]]:
    head = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
    yield {**head, "choices": [{"index": 0, "delta": {"content": CANARIES["streamed answer"]}, "finish_reason": None}]}
    for delta in _deltas(own):
        yield {**head, "choices": [{"delta": delta, "logprobs": _LOGPROBS, "finish_reason": None}]}
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


def _file(own: str) -> Answer:
    """The output of a batch."""
    arguments = json.dumps({"password": UNTOLD["password in a batch"], "url": f"https://ann:{own or 'x'}@db.example/"})
    call = {"id": "call_3", "type": "function", "function": {"name": "log_in", "arguments": arguments}}
    message = {"content": f"It is {CANARIES['batch answer']}.", "refusal": f"Not for {own}", "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": _LOGPROBS}
    lines = (
        a_line("a", chat_body(choices=[choice])),
        a_line("b", {"error": {"message": f"Not {CANARIES['batch error']}"}}, status=400),
        refused({"code": "batch_expired", "message": CANARIES["batch error"]}),
    )
    headers = (("content-type", "application/octet-stream"), *_HEADERS)
    return Answer(headers=headers, pieces=tuple(f"{line}\n".encode() for line in lines), is_chunked=True)


def _stream(bodies: Iterator[dict[str, Any]], end: str = "") -> Answer:
    pieces = [
        (f"event: {body['type']}\n" if "type" in body else "") + f"data: {json.dumps(body)}\n\n" for body in bodies
    ]
    return Answer(headers=_EVENTS, pieces=tuple(piece.encode() for piece in (*pieces, end)), is_chunked=True)


def _other() -> dict[str, Any]:
    """Something for all other endpoints to find."""
    data = [{"b64_json": CANARIES["answer"], "embedding": [0.5], "id": "x", "revised_prompt": CANARIES["answer"]}]
    head = {"id": "x_1", "object": "list", "text": CANARIES["answer"], "filename": CANARIES["file name"]}
    head |= {"client_secret": UNTOLD["client secret"]}
    return {**head, "data": data, "results": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def _good(asked: Asked) -> Answer:
    is_stream = b'"stream":true' in asked.body.replace(b" ", b"")
    own = _own_key(asked)
    if asked.target.endswith("/content"):
        return _file(own)
    if "/chat/completions" in asked.target:
        return _stream(_chunks(own), "data: [DONE]\n\n") if is_stream else _json(_chat(own))
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
_BREAKS_OFF: Final = Answer(
    headers=_EVENTS,
    pieces=tuple(
        f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()
        for text in ("You ", "said ", *_halves(UNTOLD_HALF))
    ),
    is_chunked=True,
    breaks_off=True,
)


_TORN: Final = CANARIES["answer that breaks off"]
_SPOKEN: Final = ("It is ", _TORN[:9], _TORN[9:], " I said ", HALF)
_MORE: Final = f'Yours is {UNTOLD["own key"]}, with {{"password": "{UNTOLD["password on a socket"]}"}} and so'
_PLACE: Final = {"item_id": "j", "output_index": 1, "content_index": 0}
REALTIME: Final[tuple[Frame, ...]] = (
    HEAR,
    HEAR,
    created(),
    *map(transcribed, _SPOKEN),
    said("response.output_text.delta", response_id="resp_1", **_PLACE, delta=_MORE),
)
"""A conversation that breaks off in the middle of a response, after one secret and within another."""

RESPONSES: Final[tuple[Frame, ...]] = (
    HEAR,
    response_event("response.created", status="in_progress", instructions=CANARIES["system prompt"]),
    *(said("response.output_text.delta", item_id="i", output_index=0, content_index=0, delta=text) for text in _SPOKEN),
    said("response.output_text.delta", **_PLACE, delta=_MORE),
)
"""The same over the socket of responses."""


def answers() -> Callable[[Asked], Answer]:
    """Two good answers, then a failure, and so on."""
    lock = threading.Lock()
    numbers, failures = itertools.count(), itertools.cycle(_FAILURES)

    def answer(asked: Asked) -> Answer:
        if "/broken/chat/" in asked.target:
            return _BREAKS_OFF
        with lock:
            return next(failures) if next(numbers) % 3 == 2 else _good(asked)

    return answer
