"""Bodies and events of `/responses`."""

from collections.abc import Iterator
from typing import Any

import msgspec

from monitor.demo.replies import Reply


def response(reply: Reply) -> dict[str, Any]:
    """The finished response: the body of an answer that is not streamed, and part of the last event of a stream."""
    reason = {"reason": "max_output_tokens"} if reply.answer.is_cut else None
    return _frame(reply) | {
        "status": _status(reply),
        "incomplete_details": reason,
        "output": [*_reasoning(reply), _message(reply, _status(reply), [_part(reply.text)])],
        "usage": _usage(reply),
        "completed_at": reply.created + round(reply.timing.duration),
    }


def events(reply: Reply) -> Iterator[bytes]:
    """The events of a stream, in their order; the last one carries the whole response. There is no `[DONE]`."""
    for number, (kind, facts) in enumerate(_events(reply)):
        body = {"type": kind, "sequence_number": number} | facts
        yield f"event: {kind}\ndata: ".encode() + msgspec.json.encode(body) + b"\n\n"


def _events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "response.created", {"response": _frame(reply)}
    yield "response.in_progress", {"response": _frame(reply)}
    index = len(_reasoning(reply))
    for item in _reasoning(reply):
        yield "response.output_item.added", {"output_index": 0, "item": item}
        yield "response.output_item.done", {"output_index": 0, "item": item}
    place = {"item_id": _message_id(reply), "output_index": index, "content_index": 0}
    yield "response.output_item.added", {"output_index": index, "item": _message(reply, "in_progress", [])}
    yield "response.content_part.added", place | {"part": _part("")}
    for piece in reply.pieces:
        yield "response.output_text.delta", place | {"delta": piece, "logprobs": []}
    yield "response.output_text.done", place | {"text": reply.text, "logprobs": []}
    yield "response.content_part.done", place | {"part": _part(reply.text)}
    done = _message(reply, _status(reply), [_part(reply.text)])
    yield "response.output_item.done", {"output_index": index, "item": done}
    yield f"response.{_status(reply)}", {"response": response(reply)}


def _frame(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"resp_{reply.number:032x}",
        "object": "response",
        "created_at": reply.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": reply.ask.output_limit,
        "model": reply.model.answers_as,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": reply.ask.effort, "summary": None},
        "service_tier": reply.service_tier,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "metadata": {},
    }


def _status(reply: Reply) -> str:
    return "incomplete" if reply.answer.is_cut else "completed"


def _reasoning(reply: Reply) -> list[dict[str, Any]]:
    if not reply.answer.reasoning_tokens:
        return []
    return [{"id": f"rs_{reply.number:032x}", "type": "reasoning", "summary": []}]


def _message_id(reply: Reply) -> str:
    return f"msg_{reply.number:032x}"


def _message(reply: Reply, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": _message_id(reply),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "input_tokens": reply.input_tokens,
        "input_tokens_details": {
            "cached_tokens": reply.cached_tokens,
            "cache_write_tokens": reply.written_tokens,
        },
        "output_tokens": reply.answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": reply.answer.reasoning_tokens},
        "total_tokens": reply.input_tokens + reply.answer.output_tokens,
    }
