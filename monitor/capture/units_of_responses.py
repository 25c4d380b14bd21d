"""Units of a response: the calls of the provider's own tools, their containers, and the model that draws."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.capture.bodies import LONGEST_TEXT, AnswerBody, RequestBody, read_as, text_of
from monitor.capture.unit_readers import LEAST_MEMORY, Answer, Fields, id_of, is_pending, known
from monitor.capture.usages import count_of, usage_fields

_TOOLS: Final = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
    "shell_call": "shell",
    "computer_call": "computer",
    "mcp_call": "mcp",
}
"""The tools that the provider runs, by the items that tell of their calls."""

_OF_THE_CALLER: Final = ("function", "custom", "local_shell", "apply_patch", "namespace", "tool_search")
_NO_TOOLS: Final = (b"[]", b"null")
_AT_ONCE: Final = "soonest"
_SEARCH: Final = "web_search"
_PREVIEW: Final = "web_search_preview"


class _Tool(msgspec.Struct, gc=False):
    type: Any = None
    model: Any = None
    container: Any = None
    environment: Any = None


class _Item(msgspec.Struct, gc=False):
    type: Any = None
    action: Any = None
    container_id: Any = None
    environment: Any = None


class _ToolUsage(msgspec.Struct, gc=False):
    web_search: Any = None
    image_gen: Any = None


_decode_tool: Final = msgspec.json.Decoder(_Tool).decode
_decode_item: Final = msgspec.json.Decoder(_Item).decode
_decode_tool_usage: Final = msgspec.json.Decoder(_ToolUsage).decode
_decode_list: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def asked_response(asked: RequestBody) -> Fields:
    """The conversation that is to be continued, and how long the work may take in the background."""
    asking: Fields = {} if asked.conversation is None else known(conversation_id=id_of(asked.conversation))
    if isinstance(asked.background_options, dict):
        window = text_of(asked.background_options.get("completion_window"))
        if window != _AT_ONCE:
            asking |= known(completion_window=window)
    return asking


def response(answer: Answer) -> Fields:
    """Its state, its conversation, and what its tools did."""
    body = answer.body
    if body is None:
        return {}
    units: Fields = {}
    # The state of a stream that is cut short says nothing, unless somebody goes on with the work.
    status = body.status
    if isinstance(status, str) and (body.background is True or not is_pending(status)):
        units["answer_status"] = status[:LONGEST_TEXT]
    if body.conversation is not None:
        units |= known(conversation_id=id_of(body.conversation))
    if bytes(body.tools) not in _NO_TOOLS:
        tools = [tool for raw in _parts(body.tools) if (tool := read_as(_decode_tool, raw)) is not None]
        tools = [tool for tool in tools if tool.type not in _OF_THE_CALLER]
        return {**units, **_tool_units(body, tools, list(_calls(body.output)))} if tools else units
    # Some servers do not repeat the tools that they were given: what was called is counted all the same.
    items = list(_calls(body.output))
    return {**units, **_tool_units(body, [], items)} if items else units


def _tool_units(body: AnswerBody, tools: list[_Tool], items: list[_Item]) -> Fields:
    usage = read_as(_decode_tool_usage, body.tool_usage) or _ToolUsage()
    containers = _containers(items)
    return {
        **known(
            tool_calls=_tool_calls(tools, items, usage) or None,
            containers=containers or None,
            container_memory=_memory(tools) if containers else None,
        ),
        **_drawing(tools, usage),
    }


def _calls(output: msgspec.Raw) -> Iterator[_Item]:
    # A search first: most output is text, and long.
    if b'_call"' in bytes(output):
        for raw in _parts(output):
            item = read_as(_decode_item, raw)
            if item is not None and isinstance(item.type, str) and item.type in _TOOLS:
                yield item


def _tool_calls(tools: list[_Tool], items: list[_Item], usage: _ToolUsage) -> dict[str, int]:
    counts = Counter(_TOOLS[item.type] for item in items if _is_charged(item))
    billable = count_of(usage.web_search.get("num_requests")) if isinstance(usage.web_search, dict) else None
    searches = counts.pop(_SEARCH, 0) if billable is None else billable
    counts.pop(_SEARCH, None)
    if searches > 0:
        counts[_search_name(tools)] = searches
    return dict(counts)


def _is_charged(item: _Item) -> bool:
    """Opening a page that was found is no search; a shell may be the caller's own."""
    if item.type == "web_search_call":
        return not isinstance(item.action, dict) or item.action.get("type") in (None, "search")
    if item.type == "shell_call":
        return not isinstance(item.environment, dict) or item.environment.get("type") != "local"
    return True


def _search_name(tools: list[_Tool]) -> str:
    kinds = [tool.type for tool in tools if isinstance(tool.type, str) and tool.type.startswith(_SEARCH)]
    return _PREVIEW if kinds and all(kind.startswith(_PREVIEW) for kind in kinds) else _SEARCH


def _containers(items: list[_Item]) -> list[str]:
    named = [
        text_of(item.environment.get("container_id") if isinstance(item.environment, dict) else item.container_id)
        for item in items
    ]
    return list(dict.fromkeys(name for name in named if name))


def _memory(tools: list[_Tool]) -> str | None:
    for tool in tools:
        for place in (tool.container, tool.environment):
            if isinstance(place, dict):
                stated = text_of(place.get("memory_limit"))
                is_made = place.get("type") in ("auto", "container_auto")
                if stated or is_made:
                    return stated or LEAST_MEMORY
    return None


def _drawing(tools: list[_Tool], usage: _ToolUsage) -> Fields:
    """The model that draws, and its tokens: they are no part of the response's own."""
    tokens = usage_fields(usage.image_gen)
    if not any(tokens.values()):
        return {}
    if "output_image_tokens" not in tokens and "output_tokens" in tokens:
        tokens["output_image_tokens"] = tokens["output_tokens"]
    models = [text_of(tool.model) for tool in tools if tool.type == "image_generation"]
    return known(tool_model=next((model for model in models if model), None), tool_usage=tokens)


def _parts(array: msgspec.Raw) -> list[msgspec.Raw]:
    try:
        return _decode_list(array)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
