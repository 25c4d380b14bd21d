"""Worked examples from the bodies of requests and answers to USD: one for each kind of price that is published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

_CHAT = "/chat/completions"
_RESPONSES = "/responses"
_REGION = "eu.api.openai.com"


@dataclass(frozen=True, slots=True)
class Worked:
    """A request, its answer, and what it costs; a form is asked with a file of sound."""

    usd: str
    place: str
    asked: Body
    answered: Body | bytes
    host: str = "api.openai.com"
    method: str = "POST"
    is_form: bool = field(default=False)


def _chat(usd: str, model: str, prompt: int, completion: int, **more: Any) -> Worked:
    details: Mapping[str, Body] = more.get("details", {})
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **details}
    answered = {
        "id": f"chatcmpl-{model}-{usd}",
        "object": "chat.completion",
        "model": model,
        "service_tier": more.get("tier", "default"),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
        "usage": usage,
    }
    asked = {"model": model, "messages": [{"role": "user", "content": "Where?"}], **more.get("asked", {})}
    return Worked(usd, _CHAT, asked, answered, more.get("host", "api.openai.com"))


def _response(usd: str, model: str, tokens_in: int, tokens_out: int, **more: Any) -> Worked:
    usage = {
        "input_tokens": tokens_in,
        "input_tokens_details": {"cached_tokens": 0, **more.get("details", {})},
        "output_tokens": tokens_out,
        "output_tokens_details": {"reasoning_tokens": more.get("reasoning", 0)},
        "total_tokens": tokens_in + tokens_out,
    }
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Paris."}]}
    answered = {
        "id": f"resp_{model}_{usd}",
        "object": "response",
        "status": "completed",
        "model": model,
        "service_tier": more.get("tier", "default"),
        "tools": more.get("tools", []),
        "output": [*more.get("output", []), text],
        "usage": usage,
        **({"tool_usage": more["tool_usage"]} if "tool_usage" in more else {}),
    }
    asked = {"model": model, "input": "Where?", "tools": more.get("tools", []), **more.get("asked", {})}
    return Worked(usd, _RESPONSES, asked, answered, more.get("host", "api.openai.com"))


def _searched(number: int) -> list[Body]:
    return [{"type": "web_search_call", "status": "completed", "action": {"type": "search"}} for _ in range(number)]


def _ran(container: str) -> list[Body]:
    return [{"type": "code_interpreter_call", "status": "completed", "container_id": container, "code": "1"}] * 2


def _code(memory: str | None) -> list[Body]:
    asked = {"type": "auto"} if memory is None else {"type": "auto", "memory_limit": memory}
    return [{"type": "code_interpreter", "container": asked}]


def _made(usd: str, memory: str) -> Worked:
    answered = {"id": f"cntr_{memory}", "object": "container", "status": "running", "memory_limit": memory}
    return Worked(usd, "/containers", {"name": "job", "memory_limit": memory}, answered)


def _drawn(usd: str, model: str, usage: Body | None, **asked: Any) -> Worked:
    answered: Body = {"created": 1795168800, "data": [{"b64_json": "iVBORw0KGgo="}] * asked.get("n", 1)}
    return Worked(
        usd,
        "/images/generations",
        {"model": model, "prompt": "a cat", **asked},
        answered if usage is None else {**answered, "usage": usage},
    )


def _heard(usd: str, place: str, model: str, answered: Body) -> Worked:
    return Worked(usd, place, {"model": model}, {"text": "Hello.", **answered}, is_form=True)


def _told(usd: str, place: str, answered: Body) -> Worked:
    return Worked(usd, place, {}, answered, method="GET")


_DRAWING = {
    "image_gen": {
        "input_tokens": 2_000,
        "input_tokens_details": {"text_tokens": 2_000, "image_tokens": 0},
        "output_tokens": 10_000,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 10_000},
    }
}
_WRITTEN = {
    "cached_tokens": 100_000,
    "cache_write_tokens": 80_000,
    "cache_write_tokens_details": {"ttl_30m_tokens": 40_000, "ttl_12h_tokens": 40_000},
}

WORKED: dict[str, Worked] = {
    # 120,000 at 2 and 20,000 at 8 a million.
    "chat": _chat("0.40", "gpt-4.1-2025-04-14", 120_000, 20_000),
    # 20,000 at 2.50, 80,000 from the cache at 1.25, 10,000 at 10.
    "cached": _chat(
        "0.25", "gpt-4o-2024-08-06", 100_000, 10_000, details={"prompt_tokens_details": {"cached_tokens": 80_000}}
    ),
    # 50,000 at 2; 25,000 at 8, whether or not they were for reasoning.
    "reasoning": _response("0.30", "o3-2025-04-16", 50_000, 25_000, reasoning=20_000),
    # 20,000 at 2, 100,000 at 0.10, 40,000 written at 2.50 and 40,000 for 12 hours at 4; 9,000 at 10.
    "written to the cache, half of it for 12 hours": _response("0.40", "gpt-6.1-sol", 200_000, 9_000, details=_WRITTEN),
    # Text: 10,000 at 2.50 and 500 at 10; sound: 10,000 at 32 and 10,000 at 64.
    "sound": _chat(
        "0.99",
        "gpt-audio",
        20_000,
        10_500,
        details={
            "prompt_tokens_details": {"audio_tokens": 10_000, "cached_tokens": 0},
            "completion_tokens_details": {"audio_tokens": 10_000, "reasoning_tokens": 0},
        },
    ),
    # 300,000 are a long prompt: at 10, and the answer of 2,000 at 45.
    "a long prompt": _response("3.09", "gpt-5.5", 300_000, 2_000),
    "completion": Worked(
        "0.25",
        "/completions",
        {"model": "gpt-3.5-turbo-instruct", "prompt": "Where?"},
        {
            "id": "cmpl-1",
            "object": "text_completion",
            "model": "gpt-3.5-turbo-instruct",
            "choices": [{"text": "Paris.", "index": 0, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100_000, "completion_tokens": 50_000, "total_tokens": 150_000},
        },
    ),
    "embedding": Worked(
        "0.13",
        "/embeddings",
        {"model": "text-embedding-3-large", "input": "Paris"},
        {
            "object": "list",
            "model": "text-embedding-3-large",
            "data": [{"object": "embedding", "index": 0, "embedding": "AAAA"}],
            "usage": {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000},
        },
    ),
    # 50,000 at 2; what is decided costs nothing.
    "decision": Worked(
        "0.10",
        "/decisions",
        {"model": "gpt-6-sol", "input": [], "questions": []},
        {
            "model": "gpt-6-sol",
            "usage": {"input_tokens": 50_000, "output_tokens": 4, "total_tokens": 50_004},
        },
    ),
    # Tiers, as the answer says: half, the higher price, six times.
    "flex": _response("0.30", "o3-2025-04-16", 100_000, 50_000, tier="flex"),
    "priority": _response("1.05", "o3-2025-04-16", 100_000, 50_000, tier="priority"),
    "priority that was not granted": _response(
        "0.60", "o3-2025-04-16", 100_000, 50_000, asked={"service_tier": "priority"}
    ),
    "ultrafast": _response("0.18", "gpt-6.1-sol", 10_000, 1_000, tier="ultrafast"),
    # A batch as a whole, at half the price.
    "batch": _told(
        "0.30",
        "/batches/batch_1",
        {
            "id": "batch_1",
            "object": "batch",
            "endpoint": "/v1/responses",
            "model": "o3-2025-04-16",
            "status": "completed",
            "output_file_id": "file-1",
            "usage": {"input_tokens": 100_000, "output_tokens": 50_000, "total_tokens": 150_000},
        },
    ),
    # Regions: 0.40 and a tenth; the search beside costs no more; gpt-4.1 came out before.
    "in a region": _chat("0.44", "gpt-5.4", 100_000, 10_000, host=_REGION),
    "a search in a region": _response(
        "0.45", "gpt-5.4", 100_000, 10_000, tools=[{"type": "web_search"}], output=_searched(1), host=_REGION
    ),
    "an older model in a region": _chat("0.40", "gpt-4.1-2025-04-14", 120_000, 20_000, host=_REGION),
    # Training, and the use of what was trained: 100,000 at 0.80 and 50,000 at 3.20.
    "training": _told(
        "10.00",
        "/fine_tuning/jobs/ftjob-1",
        {
            "object": "fine_tuning.job",
            "id": "ftjob-1",
            "model": "gpt-4.1-mini-2025-04-14",
            "status": "succeeded",
            "trained_tokens": 2_000_000,
        },
    ),
    "a trained model": _chat("0.24", "ft:gpt-4.1-mini-2025-04-14:acme::AbC1", 100_000, 50_000),
    # 4,000 in text at 5, 10,000 of a picture at 8, 10,000 drawn at 32.
    "picture by tokens": _drawn(
        "0.42",
        "gpt-image-1.5",
        {
            "input_tokens": 14_000,
            "input_tokens_details": {"text_tokens": 4_000, "image_tokens": 10_000},
            "output_tokens": 10_000,
            "total_tokens": 24_000,
        },
    ),
    "picture by size and quality": _drawn("0.12", "dall-e-3", None, size="1024x1792", quality="hd"),
    "two pictures": _drawn("0.04", "dall-e-2", None, size="1024x1024", n=2),
    "video": _told(
        "2.40",
        "/videos/video_1",
        {
            "id": "video_1",
            "object": "video",
            "model": "sora-2-pro",
            "status": "completed",
            "seconds": "8",
            "size": "1280x720",
        },
    ),
    "speech": Worked(
        "0.12", "/audio/speech", {"model": "tts-1-hd", "voice": "alloy", "input": "Paris. " * 571 + "Oh!"}, b"\0"
    ),
    "transcription by the minute": _heard(
        "0.06", "/audio/transcriptions", "whisper-1", {"usage": {"type": "duration", "seconds": 600}}
    ),
    # 10,000 of sound at 6, 2,000 of text at 10.
    "transcription by tokens": _heard(
        "0.08",
        "/audio/transcriptions",
        "gpt-4o-transcribe",
        {
            "usage": {
                "type": "tokens",
                "input_tokens": 10_000,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 10_000},
                "output_tokens": 2_000,
                "total_tokens": 12_000,
            }
        },
    ),
    "translation": _heard("0.03", "/audio/translations", "whisper-1", {"duration": 300.0, "segments": []}),
    # Containers by their memory; what runs in one pays its tokens beside, 8,000 at 1.25 and 1,000 at 10.
    "a container of 1 GB": _made("0.03", "1g"),
    "a container of 4 GB": _made("0.12", "4g"),
    "a container of 16 GB": _made("0.48", "16g"),
    "a container of 64 GB": _made("1.92", "64g"),
    "code": _response("0.05", "gpt-5-2025-08-07", 8_000, 1_000, tools=_code(None), output=_ran("cntr_a")),
    "code that needs memory": _response(
        "0.14", "gpt-5-2025-08-07", 8_000, 1_000, tools=_code("4g"), output=_ran("cntr_b")
    ),
    # Searches beside the tokens, whatever they cost: 10, 25 and 2.50 a thousand.
    "web search": _response(
        "0.05", "gpt-5-2025-08-07", 8_000, 1_000, tools=[{"type": "web_search"}], output=_searched(3)
    ),
    "web search of a model that does not reason": _response(
        "0.09", "gpt-4.1-2025-04-14", 10_000, 2_500, tools=[{"type": "web_search_preview"}], output=_searched(2)
    ),
    "file search": _response(
        "0.05",
        "gpt-4.1-2025-04-14",
        10_000,
        2_500,
        tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}],
        output=[{"type": "file_search_call", "status": "completed", "queries": ["q"]}] * 4,
    ),
    "a chat that searches": _chat("0.03", "gpt-4o-search-preview-2025-03-11", 4_000, 1_000),
    # 2,000 at 5 and 10,000 at 32 by the model that draws; 0.02 by the one that answers.
    "drawing": _response(
        "0.35",
        "gpt-5-2025-08-07",
        8_000,
        1_000,
        tools=[{"type": "image_generation", "model": "gpt-image-1.5"}],
        output=[{"type": "image_generation_call", "status": "completed", "result": "iVBORw0KGgo="}],
        tool_usage=_DRAWING,
    ),
}
"""By what is shown."""
