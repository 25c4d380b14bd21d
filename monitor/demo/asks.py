"""Reads request bodies of the API into one value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a request wants, whatever the endpoint."""

    model: str
    texts: tuple[str, ...]
    output_limit: int | None = None
    is_streaming: bool = False
    include_usage: bool = False
    service_tier: str | None = None
    effort: str | None = None
    is_base64: bool = False
    dimensions: int | None = None

    @property
    def text(self) -> str:
        """All input as one text, in its order."""
        return "\n".join(self.texts)


def read_chat(body: dict[str, Any]) -> Ask:
    """Read a body of `/chat/completions`."""
    return Ask(
        model=str(body["model"]),
        texts=tuple(_texts(body.get("messages"))),
        output_limit=_whole(body.get("max_completion_tokens", body.get("max_tokens"))),
        is_streaming=body.get("stream") is True,
        include_usage=_mapping(body.get("stream_options")).get("include_usage") is True,
        service_tier=_name(body.get("service_tier")),
        effort=_name(body.get("reasoning_effort")),
    )


def read_response(body: dict[str, Any]) -> Ask:
    """Read a body of `/responses`."""
    return Ask(
        model=str(body["model"]),
        texts=(*_texts(body.get("instructions")), *_texts(body.get("input"))),
        output_limit=_whole(body.get("max_output_tokens")),
        is_streaming=body.get("stream") is True,
        service_tier=_name(body.get("service_tier")),
        effort=_name(_mapping(body.get("reasoning")).get("effort")),
    )


def read_embedding(body: dict[str, Any]) -> Ask:
    """Read a body of `/embeddings`."""
    return Ask(
        model=str(body["model"]),
        texts=tuple(_texts(body.get("input"))),
        is_base64=body.get("encoding_format") == "base64",
        dimensions=_whole(body.get("dimensions")),
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("content", value.get("text")))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
