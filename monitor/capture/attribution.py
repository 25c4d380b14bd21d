"""Who spends: tags that the program sets, around calls or on one of them."""

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, TypeVar, cast
from urllib.parse import unquote_to_bytes

from monitor.capture.stepping import inside
from monitor.capture.texts import storable

F = TypeVar("F", bound=Callable[..., Any])

HEADER_PREFIX: Final = b"x-monitor-"
"""Headers of a request whose names begin so are tags of it; they are taken off before it leaves."""


class _Held(NamedTuple):
    """The tags that hold, and the blocks they come from, outermost first."""

    tags: Mapping[str, str]
    blocks: "tuple[tag, ...]"


_NOTHING: Final = _Held({}, ())
_held: ContextVar[_Held] = ContextVar("openai_monitor_tags", default=_NOTHING)


class tag:  # noqa: N801 - reads as a verb where it is used: `with monitor.tag(team="search"):`
    """Put tags on every call made inside a `with` block, or inside a decorated function.

    `team`, `feature`, `user` and `session` have columns of their own; all other names stand in `tags`. Inner tags
    win over outer ones. They follow the context: into tasks started inside, into `asyncio.to_thread`, and into
    threads started with `contextvars.copy_context().run`; not into other threads. A decorated function may be plain,
    async, a generator or an async generator: of a generator the tags hold while it runs, not while it waits.
    One object may serve many blocks, in many threads and tasks at once.
    """

    def __init__(self, **tags: object) -> None:
        """Values become text; a value of None takes an outer tag away."""
        self._given = {name: None if value is None else storable(value) for name, value in tags.items()}

    def __enter__(self) -> "tag":
        held = _held.get()
        _held.set(_Held(self._over(held.tags), (*held.blocks, self)))
        return self

    def __exit__(self, *_: object) -> None:
        # Nothing is kept in the object, which others may use at the same time; and what is left need not be what was
        # entered last: a generator that holds a block open is left whenever its reader likes, even elsewhere.
        blocks = _held.get().blocks
        if self in blocks:
            last = len(blocks) - 1 - blocks[::-1].index(self)
            _held.set(_merged(blocks[:last] + blocks[last + 1 :]))

    def __call__(self, function: F) -> F:
        """Decorate a function of any of the four kinds; a static or class method stays one.

        Raises:
            TypeError: what is given is a class, or nothing that can be called.
        """
        if isinstance(function, (staticmethod, classmethod)):
            return cast("F", type(function)(self(function.__func__)))
        if isinstance(function, type) or not callable(function):
            raise TypeError(_refusal(function))
        return cast("F", functools.wraps(function)(inside(self, function)))

    def _over(self, outer: Mapping[str, str]) -> Mapping[str, str]:
        both = {**outer, **self._given}
        return {name: value for name, value in both.items() if value is not None}


def current_tags() -> Mapping[str, str]:
    """The tags that hold here; not to be changed."""
    return _held.get().tags


def header_tag(name: bytes, value: bytes) -> tuple[str, str] | None:
    """Name and value of the tag that a header stands for; None where it stands for none or says nothing.

    `x-monitor-cost-center: M%C3%BCnchen` is the tag `cost_center` with the value `München`. It wins over tags around
    the call.

    Args:
        name: the name, in any case.
        value: the value as it would go over the wire: percent-encoded, UTF-8 or Latin-1.
    """
    name = name.lower()
    if not name.startswith(HEADER_PREFIX) or len(name) == len(HEADER_PREFIX):
        return None
    raw = unquote_to_bytes(value).strip()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if not text:
        return None
    return name[len(HEADER_PREFIX) :].decode("latin-1").replace("-", "_"), storable(text)


def _refusal(thing: object) -> str:
    if isinstance(thing, type):
        return f"monitor.tag cannot decorate {thing.__qualname__}, which is a class. Decorate its methods."
    kind = type(thing).__qualname__
    return f"monitor.tag cannot decorate a {kind}, which cannot be called. Decorate the function below it."


def _merged(blocks: "tuple[tag, ...]") -> _Held:
    tags: Mapping[str, str] = {}
    for block in blocks:
        tags = block._over(tags)  # noqa: SLF001 - of its own kind
    return _Held(tags, blocks)
