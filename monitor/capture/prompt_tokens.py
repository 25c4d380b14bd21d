"""How many tokens a request sends, estimated from its body."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.capture.token_counts import TokenCount

_LARGEST: Final = 16 * 2**20
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_TEXT_KEYS: Final = frozenset(
    """
    action arguments code commands content custom diff function function_call input name operation output parts patch
    query reasoning_content refusal summary text tool_calls transcript
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
"""Where text stands in a message; pictures, sound, files and ids stand elsewhere."""

# Fitted to recorded requests, see docs/benchmarks.md.
_PER_MESSAGE: Final = 4
_PER_PROMPT: Final = 3
_PER_TOOL: Final = 6
_PER_TOOLS: Final = 16
_OF_TOOL_TEXT: Final = 0.8
"""A tool's JSON schema reaches the model in a shorter form."""
_OF_SCHEMA_TEXT: Final = 1.4
"""The schema of an answer reaches it as JSON, signs and all."""

_TOOL_TYPES: Final = (None, "function", "custom")
"""Tools that the request describes itself. What describes the provider's own tools to the model is not known."""


class _Asked(msgspec.Struct, gc=False):
    messages: Any = None
    input: Any = None
    instructions: Any = None
    prompt: Any = None
    suffix: Any = None
    tools: Any = None
    functions: Any = None
    response_format: Any = None
    text: Any = None


_decode: Final = msgspec.json.Decoder(_Asked).decode


def prompt_tokens(content: bytes, count: TokenCount) -> int | None:
    """Tokens of a request's messages or prompt, its tools and its answer's schema; None when it has none of them.

    Pictures, sound and files count nothing, nor does what is only named: an earlier response, a stored prompt.
    """
    if len(content) > _LARGEST:
        return None
    try:
        asked = _decode(content)
    except _UNREADABLE:
        return None
    plain = _plain(asked, count)
    messages = _messages(asked)
    if not messages:
        return plain or None
    texts = " ".join(text for message in messages for text in _texts(message))
    tokens = count(texts) + len(messages) * _PER_MESSAGE + _PER_PROMPT
    return plain + tokens + _tools(asked, count) + _schema(asked, count)


def _messages(asked: _Asked) -> list[Any]:
    found = asked.messages if asked.messages is not None else asked.input
    messages = list(found) if isinstance(found, list) else [found] if isinstance(found, str) else []
    return [*messages, asked.instructions] if asked.instructions else messages


def _plain(asked: _Asked, count: TokenCount) -> int:
    """Tokens of a completion's prompt: a text, texts, or the numbers of tokens themselves."""
    tokens = 0
    waiting = [asked.prompt, asked.suffix]
    texts = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            numbers = sum(type(item) is int for item in value)
            tokens += numbers
            if numbers < len(value):
                waiting.extend(value)
    return tokens + count(" ".join(texts))


def _texts(value: Any) -> Iterator[str]:
    """The texts in a message."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if not value.startswith("data:"):
                yield value
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            waiting.extend(part for key, part in reversed(value.items()) if key in _TEXT_KEYS)


def _tools(asked: _Asked, count: TokenCount) -> int:
    found = [*_items(asked.tools), *_items(asked.functions)]
    own = [tool for tool in found if isinstance(tool, dict) and tool.get("type") in _TOOL_TYPES]
    if not own:
        return 0
    texts = " ".join(word for tool in own for word in _words(tool.get("function", tool)))
    return round(count(texts) * _OF_TOOL_TEXT) + len(own) * _PER_TOOL + _PER_TOOLS


def _schema(asked: _Asked, count: TokenCount) -> int:
    stated = asked.text.get("format") if isinstance(asked.text, dict) else asked.response_format
    if not isinstance(stated, dict) or stated.get("type") != "json_schema":
        return 0
    return round(count(" ".join(_words(stated))) * _OF_SCHEMA_TEXT)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(value: Any) -> Iterator[str]:
    """All names and texts of a schema."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            for key, part in value.items():
                yield key
                waiting.append(part)
