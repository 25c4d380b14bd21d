"""What a request is, whether it costs, and how its answer is read: the rows of `endpoint_rows.py`, found by path.

A path that no row knows is recorded under its own normal form.
"""

import functools
import re
from collections import defaultdict
from typing import Final

import msgspec

from monitor.capture.endpoint_rows import FAMILIES, MORE_WORDS, ROWS

_PREFIXES: Final = (
    ("openai", "deployments", "*"),
    ("openai", "v1"),
    ("openai",),
    ("api", "projects", "*", "openai", "v1"),
    ("v1", "projects", "*", "locations", "*", "publishers", "openai", "v1"),
    ("v1", "*", "*", "openai"),
    ("v1",),
)
"""What stands before the endpoint, by kind of server; the longest that fits is taken off."""

_ID: Final = "{id}"
_WORD: Final = re.compile(r"[a-z][a-z_-]{0,31}")
_VERSION: Final = "v1"
_UNITS: Final = "units:"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request.

    Attributes:
        operation_name: after OpenTelemetry's `gen_ai.operation.name` where that has a word.
        path: the normal form, ids replaced by `{id}`.
        is_billable: whether a good answer costs money, or begins work that does.
        usage_source: what usage in the answer is: `response` its own, `repeated` charged to an earlier request,
            `late` that of work which an earlier request began.
        is_late_in_background: whether it is `late` only where the answer says that it was made in the background.
        has_usage_option: a stream of it tells its usage only when asked with `stream_options.include_usage`.
        units: names the readers in `units.py`; None where there is nothing to tell beside model and tokens.
        has_parts: the answer may state the usage of several works, each of which becomes a record of its own.
    """

    operation_name: str
    path: str
    is_billable: bool = False
    usage_source: str = "response"
    is_late_in_background: bool = False
    has_usage_option: bool = False
    units: str | None = None
    has_parts: bool = False

    @property
    def is_file(self) -> bool:
        """Whether a good answer is a file as somebody has put it there: what it says is no answer of the API."""
        return self.path.endswith("/content")


def _endpoint(key: str) -> Endpoint:
    name, *marks = ROWS[key].split(" ")
    sources = [source for mark, source in (("late", "late"), ("repeats", "repeated")) if mark in marks]
    units = [mark.removeprefix(_UNITS) for mark in marks if mark.startswith(_UNITS)]
    return Endpoint(
        operation_name=name,
        path=key.split(" ")[1],
        is_billable="billable" in marks,
        usage_source=sources[0] if sources else "response",
        is_late_in_background="background" in marks,
        has_usage_option="usage_option" in marks,
        units=units[0] if units else None,
        has_parts="parts" in marks,
    )


_Parts = tuple[str, ...]
_Place = tuple[str, int]


def _parts(path: str) -> _Parts:
    return tuple(part for part in path.split("/") if part)


def _by_place() -> dict[_Place, list[tuple[_Parts, str]]]:
    """The keys of the rows by method and number of parts; a word stands before an id in its place."""
    found = defaultdict(list)
    for key in ROWS:
        method, path = key.split(" ")
        pattern = _parts(path)
        found[method, len(pattern)].append((pattern, key))
    for rows in found.values():
        rows.sort(key=lambda row: [part == _ID for part in row[0]])
    return dict(found)


_TABLE: Final = _by_place()
_PATTERNS: Final = [pattern for rows in _TABLE.values() for pattern, _ in rows]
_FIRST_WORDS: Final = frozenset(pattern[0] for pattern in _PATTERNS)
_WORDS: Final = MORE_WORDS.union(*_PATTERNS) - {_ID}


@functools.lru_cache(maxsize=1024)
def endpoint_of(method: str, path: str, base: str = "") -> Endpoint:
    """The endpoint of a request; one that no row knows is named after the first word of its path.

    Args:
        method: of the request.
        path: of its URL.
        base: of the client's base URL, where the request's stands below it: that is no part of an endpoint.
    """
    whole = _parts(path)
    parts = min(_without_prefix(whole), whole[len(_parts(base)) :], key=len)
    if not parts:
        return Endpoint(operation_name="unknown", path="/")
    known = _known(method, parts) or _behind_other_prefix(method, parts)
    return known or _unknown(method, parts)


def _known(method: str, parts: _Parts) -> Endpoint | None:
    for pattern, key in _TABLE.get((method, len(parts)), ()):
        if all(mark in (_ID, part) for mark, part in zip(pattern, parts, strict=True)):
            return _endpoint(key)
    return None


def _behind_other_prefix(method: str, parts: _Parts) -> Endpoint | None:
    """The known endpoint behind parts that are none of the API's words, as proxies and other servers have them."""
    start = next((place for place, part in enumerate(parts) if part in _FIRST_WORDS), 0)
    return _known(method, parts[start:]) if start else None


def _unknown(method: str, parts: _Parts) -> Endpoint:
    if _VERSION in parts[:-1]:
        # What a proxy puts before it may be an account, or a secret.
        parts = parts[len(parts) - parts[::-1].index(_VERSION) :]
    # The first part is kept though it may be unknown, for it names the resource: unless it looks like an id, a key or a
    # name of somebody's, of which there are many.
    shown = [part if _is_word(part, place) else _ID for place, part in enumerate(parts)]
    return Endpoint(
        operation_name="unknown" if shown[0] == _ID else FAMILIES.get(shown[0], shown[0]),
        path=f"/{'/'.join(shown)}"[:128],
        # What is only read was charged when it was made.
        usage_source="repeated" if method == "GET" else "response",
    )


def _is_word(part: str, place: int) -> bool:
    return part in _WORDS or (place == 0 and _WORD.fullmatch(part) is not None)


@functools.lru_cache(maxsize=256)
def deployment_of(path: str) -> str | None:
    """The Azure deployment that a path names, if it names one."""
    parts = _parts(path)
    return parts[2] if len(parts) > 2 and parts[:2] == ("openai", "deployments") else None


def _without_prefix(parts: _Parts) -> _Parts:
    for prefix in _PREFIXES:
        head = parts[: len(prefix)]
        if len(head) == len(prefix) and all(mark in ("*", part) for mark, part in zip(prefix, head, strict=True)):
            return parts[len(prefix) :]
    return parts
