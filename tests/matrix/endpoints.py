"""The endpoints of the matrix: how each is called, and what the server answers. Imports no SDK: each side reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream; charset=utf-8"
_AUDIO: Final = ("a.wav", b"RIFF" + b"\x00" * 40_000)
_PICTURE: Final = ("a.png", b"\x89PNG" + b"\x00" * 9_000)
_MESSAGES: Final = [{"role": "user", "content": "What is the capital of France?"}]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of the SDK with its arguments, the pieces of the answer, and the usage it tells.

    `tokens` is None where the answer tells none; `asked_pieces` come instead when a stream's usage is asked for.
    """

    method: str
    named: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[str, ...] = ()
    content_type: str = JSON
    pieces: tuple[bytes, ...] = ()
    asked_pieces: tuple[bytes, ...] = ()
    tokens: tuple[int, int] | None = None

    @property
    def is_stream(self) -> bool:
        return bool(self.named.get("stream"))

    @property
    def is_binary(self) -> bool:
        return self.content_type not in (JSON, EVENTS)


def _json(body: object) -> tuple[bytes, ...]:
    return (json.dumps(body).encode(),)


def _events(*bodies: dict[str, Any], is_named: bool = False, has_done: bool = True) -> tuple[bytes, ...]:
    found = []
    for body in bodies:
        head = f"event: {body['type']}\n" if is_named else ""
        found.append(f"{head}data: {json.dumps(body, ensure_ascii=False)}\n\n".encode())
    return (*found, b"data: [DONE]\n\n") if has_done else tuple(found)


def _chat_usage(given: int, made: int) -> dict[str, int]:
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _usage(given: int, made: int) -> dict[str, Any]:
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + made,
    }


_CHAT_HEAD: Final = {"id": "chatcmpl-1", "created": 1795168800, "model": "gpt-4o-2024-08-06"}
_CHAT: Final = {
    **_CHAT_HEAD,
    "object": "chat.completion",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Paris.", "refusal": None}, "finish_reason": "stop"}
    ],
    "usage": _chat_usage(14, 4),
}


def _chunks(*, has_usage: bool) -> tuple[bytes, ...]:
    head = {**_CHAT_HEAD, "object": "chat.completion.chunk"}
    more: dict[str, Any] = {"usage": None} if has_usage else {}
    bodies = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}
        for delta, reason in (
            ({"role": "assistant", "content": ""}, None),
            ({"content": "Pa"}, None),
            ({"content": "ris — \U0001f5fc"}, None),
            ({}, "stop"),
        )
    ]
    if has_usage:
        bodies.append({**head, "choices": [], "usage": _chat_usage(15, 5)})
    return _events(*bodies)


_RESPONSE: Final = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1795168800,
    "status": "completed",
    "model": "gpt-4o-2024-08-06",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": _usage(21, 6),
}
_RESPONSE_EVENTS: Final = (
    {
        "type": "response.created",
        "sequence_number": 0,
        "response": {**_RESPONSE, "status": "in_progress", "output": [], "usage": None},
    },
    {
        "type": "response.output_text.delta",
        "sequence_number": 1,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": "Paris.",
        "logprobs": [],
    },
    {
        "type": "response.completed",
        "sequence_number": 2,
        "response": {**_RESPONSE, "id": "resp_2", "usage": _usage(22, 7)},
    },
)
_TEXT: Final = {"id": "cmpl-1", "object": "text_completion", "created": 1795168800, "model": "gpt-3.5-turbo-instruct"}
_TEXT_CHOICE: Final = {"index": 0, "text": "Paris.", "logprobs": None, "finish_reason": "stop"}
_FILE: Final = {
    "id": "file-1",
    "object": "file",
    "bytes": 9,
    "created_at": 1795168800,
    "filename": "a.jsonl",
    "purpose": "batch",
    "status": "processed",
}
_BATCH: Final = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "validating",
    "created_at": 1795168800,
}

ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "chat": Endpoint(
        method="chat.completions.create",
        named={"model": "gpt-4o", "messages": _MESSAGES},
        pieces=_json(_CHAT),
        tokens=(14, 4),
    ),
    "chat stream": Endpoint(
        method="chat.completions.create",
        named={"model": "gpt-4o", "messages": _MESSAGES, "stream": True},
        content_type=EVENTS,
        pieces=_chunks(has_usage=False),
        asked_pieces=_chunks(has_usage=True),
        tokens=(15, 5),
    ),
    "chat stream with usage": Endpoint(
        method="chat.completions.create",
        named={
            "model": "gpt-4o",
            "messages": _MESSAGES,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        content_type=EVENTS,
        pieces=_chunks(has_usage=True),
        tokens=(15, 5),
    ),
    "responses": Endpoint(
        method="responses.create", named={"model": "gpt-4o", "input": "Hi"}, pieces=_json(_RESPONSE), tokens=(21, 6)
    ),
    "responses stream": Endpoint(
        method="responses.create",
        named={"model": "gpt-4o", "input": "Hi", "stream": True},
        content_type=EVENTS,
        pieces=_events(*_RESPONSE_EVENTS, is_named=True, has_done=False),
        tokens=(22, 7),
    ),
    "completions": Endpoint(
        method="completions.create",
        named={"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"},
        pieces=_json({**_TEXT, "choices": [_TEXT_CHOICE], "usage": _chat_usage(16, 8)}),
        tokens=(16, 8),
    ),
    "completions stream": Endpoint(
        method="completions.create",
        named={"model": "gpt-3.5-turbo-instruct", "prompt": "Hi", "stream": True},
        content_type=EVENTS,
        pieces=_events({**_TEXT, "choices": [_TEXT_CHOICE]}),
        asked_pieces=_events(
            {**_TEXT, "choices": [_TEXT_CHOICE], "usage": None}, {**_TEXT, "choices": [], "usage": _chat_usage(17, 9)}
        ),
        tokens=(17, 9),
    ),
    "embeddings": Endpoint(
        method="embeddings.create",
        named={"model": "text-embedding-3-small", "input": ["a", "b"]},
        pieces=_json(
            {
                "object": "list",
                "data": [{"object": "embedding", "index": number, "embedding": "AACAPwAAAEA="} for number in range(2)],
                "model": "text-embedding-3-small",
                "usage": {"prompt_tokens": 18, "total_tokens": 18},
            }
        ),
        tokens=(18, 0),
    ),
    "moderations": Endpoint(
        method="moderations.create",
        named={"input": "Hi"},
        pieces=_json({"id": "modr-1", "model": "omni-moderation-latest", "results": []}),
    ),
    "images": Endpoint(
        method="images.generate",
        named={"model": "gpt-image-1", "prompt": "A tower", "n": 1},
        pieces=_json({"created": 1795168800, "data": [{"b64_json": "aGk="}], "usage": _usage(23, 1056)}),
        tokens=(23, 1056),
    ),
    "images edit": Endpoint(
        method="images.edit",
        named={"model": "gpt-image-1", "prompt": "A tower", "image": _PICTURE},
        pieces=_json({"created": 1795168800, "data": [{"b64_json": "aGk="}], "usage": _usage(24, 1057)}),
        tokens=(24, 1057),
    ),
    "speech": Endpoint(
        method="audio.speech.create",
        named={"model": "tts-1", "input": "Hello there", "voice": "alloy"},
        content_type="audio/mpeg",
        pieces=(b"\xff\xfb" * 700, b"\x00" * 900, b"\n\n" * 30),
    ),
    "transcription": Endpoint(
        method="audio.transcriptions.create",
        named={"model": "gpt-4o-transcribe", "file": _AUDIO, "language": "de"},
        pieces=_json({"text": "Hallo.", "usage": {**_usage(25, 10), "type": "tokens"}}),
        tokens=(25, 10),
    ),
    "translation": Endpoint(
        method="audio.translations.create",
        named={"model": "whisper-1", "file": _AUDIO},
        pieces=_json({"text": "Hello."}),
    ),
    "file upload": Endpoint(
        method="files.create",
        named={"file": ("a.jsonl", b'{"a": 1}\n'), "purpose": "batch"},
        pieces=_json(_FILE),
    ),
    "file list": Endpoint(
        method="files.list", pieces=_json({"object": "list", "data": [_FILE], "has_more": False, "last_id": "file-1"})
    ),
    "file content": Endpoint(
        method="files.content",
        positional=("file-1",),
        content_type="application/octet-stream",
        pieces=(b'{"a": 1}\n',),
    ),
    "file delete": Endpoint(
        method="files.delete",
        positional=("file-1",),
        pieces=_json({"id": "file-1", "object": "file", "deleted": True}),
    ),
    "batch": Endpoint(
        method="batches.create",
        named={"completion_window": "24h", "endpoint": "/v1/chat/completions", "input_file_id": "file-1"},
        pieces=_json(_BATCH),
    ),
    "models": Endpoint(
        method="models.list",
        pieces=_json(
            {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "system"}]}
        ),
    ),
}
