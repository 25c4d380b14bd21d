"""An event stream as one value: the pieces of each text joined, so that it can be read, and redacted, as a whole."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from monitor.capture.torn import without_last_word

_LINE: Final = re.compile(r"\r\n|\n|\r")
_REPLACED: Final = frozenset({"id", "name", "role", "type", "status", "format"})
"""Names and ids come whole, even where a server repeats them with each piece."""

_GROWING: Final = frozenset({"delta", "text"})
_LISTS_OF_WHOLES: Final = frozenset({"annotations", "citations", "images", "search_results", "sources"})
"""In them each part is one of its own, though a server may not number them."""

_NOISE: Final = ("obfuscation", "sequence_number", "logprobs")
_PLACE: Final = (
    "type",
    "object",
    "item_id",
    "output_index",
    "content_index",
    "summary_index",
    "response_id",
    "index",
)
_WHOLE: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})

_UNREADABLE: Final = (ValueError, RecursionError)


class _Pieces(list[str]):
    """A text that comes in pieces."""


def joined(stream: str, *, is_torn: bool) -> Any:
    """What a stream says: the final response where there is one, else its events with their texts joined.

    Args:
        stream: event stream, as far as it was kept.
        is_torn: whether it goes on behind what was kept, or broke off. Then the last word of each text is left out: it
            may be the first half of a secret.

    Returns:
        A JSON value; None where this is no event stream.
    """
    events: list[Any] = []
    places: dict[object, dict[str, Any]] = {}
    event: Any = None
    for event in _events(stream):
        if isinstance(event, str):
            _add_text(events, event)
        elif not isinstance(event, dict):
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
    if is_torn and isinstance(event, str) and len(events) > 1:
        # Half an event: what it says may be the second half of a secret, and its beginning is somewhere else.
        events.pop()
    return _whole(events, is_torn=is_torn) if events else None


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


def _add_text(events: list[Any], text: str) -> None:
    """Some servers send nothing but text, in pieces."""
    if events and isinstance(events[-1], _Pieces):
        events[-1].append(text)
    else:
        events.append(_Pieces((text,)))


def _place_of(event: dict[str, Any]) -> object:
    """What the pieces of one text have in common; None for an event that is whole by itself."""
    if isinstance(event.get("choices"), list):
        return "choices"
    if isinstance(event.get("delta"), str | dict):
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
            parts = known if type(known) is list else []
            is_whole = name in _LISTS_OF_WHOLES
            target[name] = [*parts, *value] if is_whole else _merge_list(parts, value, is_delta=is_delta)
        elif isinstance(value, str) and (name in _GROWING or (is_delta and name not in _REPLACED)):
            if isinstance(known, _Pieces):
                known.append(value)
            else:
                target[name] = _Pieces((value,))
        else:
            target[name] = value
    return target


def _merge_list(target: list[Any], more: list[Any], *, is_delta: bool) -> list[Any]:
    """Add the pieces of parts, each to the one it continues."""
    continues = _continued_in_delta if is_delta else _continued
    taken: list[dict[str, Any]] = []
    for place, part in enumerate(more):
        if not isinstance(part, dict):
            target.append(part)
            continue
        known = continues([one for one in target if isinstance(one, dict)], part, place, taken)
        if known is None:
            known = {}
            target.append(known)
        taken.append(_merge(known, part, is_delta=is_delta))
    return target


_Parts = list[dict[str, Any]]


def _continued(target: _Parts, part: dict[str, Any], place: int, _: _Parts) -> dict[str, Any] | None:
    """Of choices and the like: the one with the same index, which without one is its place in the list."""
    index = _index_of(part, place)
    return next((one for number, one in enumerate(target) if _index_of(one, number) == index), None)


def _continued_in_delta(target: _Parts, part: dict[str, Any], _: int, taken: _Parts) -> dict[str, Any] | None:
    """Of calls of tools, thoughts and the like: by index, else by id, else the last one of its type."""
    index = _index_of(part, None)
    if index is not None:
        return next((one for one in target if _index_of(one, None) == index), None)
    name = part.get("id") or None
    for one in reversed(target):
        is_same = one.get("id") == name if name and one.get("id") else _are_alike(one, part)
        if is_same and not any(one is other for other in taken):
            return one
    return None


def _are_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    kinds = one.get("type"), other.get("type")
    return None in kinds or kinds[0] == kinds[1]


def _index_of(part: dict[str, Any], place: int | None) -> int | None:
    index = part.get("index")
    return index if isinstance(index, int) else place


def _whole(value: Any, *, is_torn: bool) -> Any:
    if isinstance(value, _Pieces):
        text = "".join(value)
        return without_last_word(text) if is_torn else text
    if isinstance(value, dict):
        return {name: _whole(part, is_torn=is_torn) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part, is_torn=is_torn) for part in value]
    return value
