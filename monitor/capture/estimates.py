"""Estimates what a stream used that did not say so itself: it broke off, was left, or its server never tells."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from monitor.capture.endpoints import Endpoint
from monitor.capture.prompt_tokens import prompt_tokens
from monitor.capture.sse import EventSplitter, data_of
from monitor.capture.token_counts import TokenCount, token_count_of

_PER_CALL: Final = 6
"""Tokens around a call of a tool; fitted to recorded answers, see docs/benchmarks.md."""

_ENDPOINTS: Final = frozenset({"/chat/completions", "/completions", "/responses"})
_NOT_WRITTEN: Final = frozenset({"response.audio.delta", "response.shell_call_output_content.delta"})
"""Deltas that are sound, or what a tool gave back."""

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None


class _ToolCall(msgspec.Struct, gc=False):
    function: _Function | None = None
    custom: dict[str, Any] | None = None


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: list[_ToolCall | None] | None = None
    function_call: _Function | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    text: Any = None


class _Item(msgspec.Struct, gc=False):
    name: Any = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    choices: list[_Choice | None] | None = None
    delta: str | None = None
    item: _Item | None = None


_decode: Final = msgspec.json.Decoder(_Event).decode


@dataclass(slots=True)
class _Written:
    """What a model has written so far."""

    parts: list[str] = field(default_factory=list)
    calls: int = 0

    def add(self, *texts: Any) -> None:
        self.parts.extend(text for text in texts if isinstance(text, str) and text)

    def add_call(self, function: _Function | None) -> None:
        if function is not None:
            self.calls += isinstance(function.name, str) and bool(function.name)
            self.add(function.name, function.arguments)


def estimate(
    request_content: bytes | None,
    pieces: Sequence[bytes],
    endpoint: Endpoint,
    model: str | None,
    *,
    total_bytes: int | None = None,
    modules: Mapping[str, Any] = sys.modules,
) -> dict[str, object]:
    """`input_tokens` and `output_tokens` of a stream that did not state them; only those that can be estimated.

    Over recorded traffic the median error is 2 % of the input and 5 % of the output (docs/benchmarks.md). What is
    not visible is not in it: reasoning, pictures, sound, files, the provider's own tools, earlier responses.

    Args:
        request_content: the request's JSON body.
        pieces: the decoded stream as far as it was kept, from its beginning.
        endpoint: only chats, completions and responses are estimated.
        model: decides the tokenizer.
        total_bytes: length of the decoded stream as far as it came; what was not kept is taken to be like the rest.
        modules: where the tokenizer is looked up.
    """
    if endpoint.path not in _ENDPOINTS or not endpoint.is_billable:
        return {}
    count = token_count_of(model, modules)
    found = {
        "input_tokens": prompt_tokens(request_content, count) if request_content else None,
        "output_tokens": _written_tokens(pieces, count, total_bytes),
    }
    return {name: tokens for name, tokens in found.items() if tokens}


def _written_tokens(pieces: Iterable[bytes], count: TokenCount, total_bytes: int | None) -> int:
    stream = b"".join(pieces)
    written = _written(stream)
    # No delta is less than a token, and most are just one.
    tokens = max(len(written.parts), count("".join(written.parts))) + written.calls * _PER_CALL
    if total_bytes is not None and total_bytes > len(stream) > 0:
        return round(tokens * total_bytes / len(stream))
    return tokens


def _written(stream: bytes) -> _Written:
    written = _Written()
    for event in _events(stream):
        if event.choices:
            _add_choices(written, event.choices)
        elif isinstance(event.type, str):
            _READERS.get(event.type.rpartition(".")[2], _pass_over)(written, event)
    return written


def _add_choices(written: _Written, choices: list[_Choice | None]) -> None:
    for choice in choices:
        if choice is None:
            continue
        written.add(choice.text)
        if (delta := choice.delta) is None:
            continue
        # Servers that tell their reasoning do so under one or both of two names.
        written.add(delta.content, delta.refusal, delta.reasoning_content or delta.reasoning)
        written.add_call(delta.function_call)
        for call in delta.tool_calls or ():
            if call is not None:
                custom = call.custom or {}
                written.add_call(call.function or _Function(custom.get("name"), custom.get("input")))


def _add_delta(written: _Written, event: _Event) -> None:
    if event.type not in _NOT_WRITTEN:
        written.add(event.delta)


def _add_item(written: _Written, event: _Event) -> None:
    if event.type == "response.output_item.added" and event.item is not None:
        written.add_call(_Function(event.item.name))


def _pass_over(written: _Written, event: _Event) -> None:
    """Other events hold no text, or one that came in deltas before."""


_READERS: Final[Mapping[str, Callable[[_Written, _Event], None]]] = {"delta": _add_delta, "added": _add_item}


def _events(stream: bytes) -> Iterator[_Event]:
    splitter = EventSplitter()
    for raw in (*splitter.feed(stream), splitter.take_rest()):
        data = data_of(raw)
        if data[:1] == b"{":
            try:
                yield _decode(data)
            except _UNREADABLE:
                continue
