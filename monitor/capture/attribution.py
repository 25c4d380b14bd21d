"""Who makes the call: tags set by the program, and the first frame of the program's own code."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

_LIBRARIES: Final = frozenset(
    """
    monitor openai httpx httpx2 httpcore httpcore2 anyio sniffio tenacity backoff langchain langchain_core
    langchain_openai langgraph llama_index instructor agents litellm pydantic_ai dspy semantic_kernel haystack autogen
    crewai gevent uvloop
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
_COMMON_NAMES: Final = frozenset({"agents"})
"""Names of libraries that programs also give to packages of their own: there the place of the file decides."""

_INSTALLED: Final = "-packages"
_STANDARD_LIBRARY: Final = (str(Path(os.__file__).parent), "<frozen ")
_MAX_FRAMES: Final = 80
_LONGEST: Final = 1024

_tags: ContextVar[Mapping[str, str]] = ContextVar("openai_monitor_tags")
_NO_TAGS: Final[Mapping[str, str]] = {}

F = TypeVar("F", bound=Callable[..., Any])


class tag:  # noqa: N801 - reads as a verb where it is used: `with monitor.tag(team="search"):`
    """Put tags on every call made inside a `with` block, or inside a decorated function.

    `team`, `feature`, `user` and `session` have columns of their own; all other names stand in `tags`. Inner tags
    win over outer ones. They follow the context: into tasks started inside, and into threads started with
    `contextvars.copy_context().run`.
    """

    def __init__(self, **tags: object) -> None:
        """Values become text; a value of None takes an outer tag away."""
        self._given = tags
        self._tokens: list[Token[Mapping[str, str]]] = []

    def __enter__(self) -> "tag":
        merged = dict(_tags.get(_NO_TAGS))
        for name, value in self._given.items():
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = storable(value)
        self._tokens.append(_tags.set(merged))
        return self

    def __exit__(self, *_: object) -> None:
        _tags.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        """Decorate a function, plain or async."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with tag(**self._given):
                    return await function(*args, **kwargs)

            return run_async  # type: ignore[return-value]  # wraps keeps the signature, which mypy cannot see

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with tag(**self._given):
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]  # as above


def storable(value: object) -> str:
    """A value as text that can be stored: file names and variables may hold bytes that are no text."""
    return str(value).encode("utf-8", "replace").decode("utf-8")[:_LONGEST]


def current_tags() -> Mapping[str, str]:
    """The tags that hold here; not to be changed."""
    return _tags.get(_NO_TAGS)


def call_site() -> tuple[str | None, str | None]:
    """`file:line` and function of the innermost frame outside the SDK, known frameworks and the standard library.

    None and None where there is none, as in a task that awaits the SDK's coroutine directly.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to look at the stack cheaply
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return None, None
        code = frame.f_code
        if not _is_foreign(frame.f_globals.get("__name__") or "", code.co_filename):
            return f"{_short(code.co_filename)}:{frame.f_lineno}", code.co_qualname
        frame = frame.f_back
    return None, None


@functools.lru_cache(maxsize=4096)
def _is_foreign(module: str, filename: str) -> bool:
    package = module.partition(".")[0]
    if package in _LIBRARIES:
        return package not in _COMMON_NAMES or _INSTALLED in filename
    return filename.startswith(_STANDARD_LIBRARY) and _INSTALLED not in filename


@functools.lru_cache(maxsize=4096)
def _short(filename: str) -> str:
    """A path without what is private or changes: relative to the working directory, else its last three parts."""
    path = Path(filename)
    try:
        return storable(path.relative_to(Path.cwd()).as_posix())
    except (ValueError, OSError):
        return storable("/".join(path.parts[-3:]))
