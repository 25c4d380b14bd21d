"""Bodies and chunks of `/chat/completions`."""

from collections.abc import Iterator
from typing import Any

import msgspec

from monitor.demo.replies import Reply


def completion(reply: Reply) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(reply)}
    return _frame(reply, "chat.completion", [choice]) | {"usage": _usage(reply)}


def chunks(reply: Reply) -> Iterator[bytes]:
    """The lines of a stream, one event each: the usage comes only when it was asked for, last but for `[DONE]`."""
    yield _chunk(reply, {"role": "assistant", "content": "", "refusal": None})
    for piece in reply.pieces:
        yield _chunk(reply, {"content": piece})
    yield _chunk(reply, {}, _finish_reason(reply))
    if reply.ask.include_usage:
        yield _event(_frame(reply, "chat.completion.chunk", []) | {"usage": _usage(reply)})
    yield b"data: [DONE]\n\n"


def _chunk(reply: Reply, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    body = _frame(reply, "chat.completion.chunk", [choice])
    if reply.ask.include_usage:
        body["usage"] = None
    return _event(body)


def _frame(reply: Reply, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.number:032x}",
        "object": kind,
        "created": reply.created,
        "model": reply.model.answers_as,
        "choices": choices,
        "service_tier": reply.service_tier,
        "system_fingerprint": None,
    }


def _finish_reason(reply: Reply) -> str:
    return "length" if reply.answer.is_cut else "stop"


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.answer.output_tokens,
        "total_tokens": reply.input_tokens + reply.answer.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": reply.cached_tokens,
            "cache_write_tokens": reply.written_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reply.answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
