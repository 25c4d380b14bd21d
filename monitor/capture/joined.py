"""An event stream as one value: the pieces of each text joined, so that it can be read, and redacted, as a whole."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_LINE: Final = re.compile(r"\r\n|\n|\r")
_REPLACED: Final = frozenset({"id", "name", "role", "type", "status"})
"""Names and ids come whole, even where a server repeats them with each piece."""

_GROWING: Final = frozenset({"delta", "text"})

_NOISE: Final = ("obfuscation", "sequence_number", "logprobs")
_PLACE: Final = ("type", "item_id", "output_index", "content_index", "summary_index", "response_id")
_WHOLE: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_TORN_TAIL: Final = 256

_UNREADABLE: Final = (ValueError, RecursionError)


class _Pieces(list[str]):
    """A text that comes in pieces."""


def joined(stream: str, *, is_torn: bool) -> Any:
    """What a stream says: the final response where there is one, else its events with their texts joined.

    Args:
        stream: event stream, as far as it was kept.
        is_torn: whether it goes on behind what was kept. Then the last letters of each text are left out: they may be
            the first half of a secret.

    Returns:
        A JSON value; None where this is no event stream.
    """
    events: list[Any] = []
    places: dict[object, dict[str, Any]] = {}
    for event in _events(stream):
        if not isinstance(event, dict):
            events.append(event)
        elif event.get("type") in _WHOLE and isinstance(event.get("response"), dict):
            return event["response"]
        elif (place := _place_of(event)) is None:
            events.append(_without_noise(event))
        elif place in places:
            _merge(places[place], event)
        else:
            places[place] = _merge({}, event)
            events.append(places[place])
    return _whole(events, _TORN_TAIL if is_torn else 0) if events else None


def _events(stream: str) -> Iterator[Any]:
    data: list[str] = []
    for line in (*_LINE.split(stream), ""):
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            text = "\n".join(data)
            data.clear()
            if text not in ("", "[DONE]"):
                yield _read(text)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except _UNREADABLE:
        return text


def _place_of(event: dict[str, Any]) -> object:
    """What the pieces of one text have in common; None for an event that is whole by itself."""
    if isinstance(event.get("choices"), list):
        return "choices"
    if isinstance(event.get("delta"), str):
        return tuple(str(event.get(name)) for name in _PLACE)
    return None


def _without_noise(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in _NOISE}


def _merge(target: dict[str, Any], more: dict[str, Any], *, is_delta: bool = False) -> dict[str, Any]:
    """Add a piece to what came before: texts of a delta grow, everything else is replaced."""
    for name, value in more.items():
        known = target.get(name)
        if name in _NOISE or value is None:
            continue
        if isinstance(value, dict):
            is_part = is_delta or name in _GROWING
            target[name] = _merge(known if isinstance(known, dict) else {}, value, is_delta=is_part)
        elif isinstance(value, list):
            target[name] = _merge_list(known if type(known) is list else [], value, is_delta=is_delta)
        elif isinstance(value, str) and (name in _GROWING or (is_delta and name not in _REPLACED)):
            if isinstance(known, _Pieces):
                known.append(value)
            else:
                target[name] = _Pieces((value,))
        else:
            target[name] = value
    return target


def _merge_list(target: list[Any], more: list[Any], *, is_delta: bool) -> list[Any]:
    """Parts with the same index are pieces of one."""
    by_index = {part.get("index"): part for part in target if _has_index(part)}
    for part in more:
        if _has_index(part) and part["index"] in by_index:
            _merge(by_index[part["index"]], part, is_delta=is_delta)
            continue
        target.append(_merge({}, part, is_delta=is_delta) if isinstance(part, dict) else part)
        if _has_index(part):
            by_index[part["index"]] = target[-1]
    return target


def _has_index(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("index"), int)


def _whole(value: Any, torn_tail: int) -> Any:
    if isinstance(value, _Pieces):
        text = "".join(value)
        return text[: len(text) - torn_tail] if torn_tail and len(value) > 1 else text
    if isinstance(value, dict):
        return {name: _whole(part, torn_tail) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part, torn_tail) for part in value]
    return value
