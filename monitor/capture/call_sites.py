"""Which line of the program makes a call: the first frame that is neither the SDK's, a framework's nor Python's."""

import contextlib
import functools
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from monitor.capture.texts import storable

_FRAMEWORKS: Final = frozenset(
    """
    monitor openai httpx httpx2 httpcore httpcore2 anyio sniffio trio tenacity backoff stamina wrapt gevent greenlet
    eventlet uvloop nest_asyncio
    langchain langchain_core langchain_openai langchain_community langchain_classic langchain_experimental langgraph
    langsmith llama_index llama_index_instrumentation instructor agents litellm pydantic_ai pydantic_graph dspy
    semantic_kernel haystack haystack_integrations autogen autogen_agentchat autogen_core autogen_ext crewai smolagents
    google.adk strands mirascope guidance outlines marvin magentic controlflow agno griptape camel browser_use
    mem0 graphrag lightrag txtai promptflow lmql sglang ell
    ragas deepeval guardrails nemoguardrails trulens giskard
    langfuse openinference opentelemetry traceloop logfire agentops opik weave promptlayer helicone lmnr phoenix
    mlflow braintrust humanloop portkey_ai ddtrace sentry_sdk newrelic elasticapm posthog
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
_COMMON_NAMES: Final = frozenset(
    "agents agno camel ell giskard greenlet guardrails guidance helicone marvin outlines phoenix strands weave".split()  # noqa: SIM905 - as above
)
"""Names of frameworks that programs also give to packages of their own: there the place of the file decides."""

_CLIENTS: Final = frozenset({"monitor", "openai", "httpx", "httpx2"})
"""Packages whose functions call each other from the SDK's method down to here."""

_INSTALLED: Final = "-packages"
_STANDARD_LIBRARY: Final = (str(Path(os.__file__).parent), "<frozen ")
_FRAMES: Final = range(256)
_MAX_KNOWN: Final = 4096

Site = tuple[str | None, str | None]


class Entry:
    """Where the program went into the SDK the last time; `place` is the depth of its method on the stack, and its code.

    Both in one, as threads share it.
    """

    __slots__ = ("place",)

    def __init__(self) -> None:
        """Not known yet."""
        self.place: tuple[int, CodeType] | None = None


class CallSites:
    """Finds call sites, and remembers what it has seen; `call_sites` gives the one to use.

    Args:
        frameworks: packages, or modules with dots, to be passed over besides the well-known ones.
    """

    def __init__(self, frameworks: Iterable[str] = ()) -> None:
        """Has seen nothing yet."""
        self._own = frozenset(frameworks)
        self._foreign: set[str] = set()
        self._sites: dict[tuple[int, int], tuple[CodeType, Site]] = {}

    def here(self, skipped: int = 1, entry: Entry | None = None) -> Site:
        """`file:line` and `module.function` of the innermost frame of the program's own code.

        None and None where there is none, as in a task that awaits the SDK's coroutine directly.

        Args:
            skipped: so many frames are surely not the program's, the one of this method among them.
            entry: of the requests that come this way, to begin with the frame that called the SDK; is kept up to date.
        """
        frame = None if entry is None or entry.place is None else _caller(*entry.place)
        if frame is None:
            frame = sys._getframe(skipped)  # noqa: SLF001 - the documented way to look at the stack cheaply
            if entry is not None:
                entry.place = _way_in(frame, skipped)
        foreign = self._foreign
        for _ in _FRAMES:
            if frame is None:
                break
            code = frame.f_code
            if code.co_filename not in foreign:
                # By place in the code: to find its line takes longer than all the rest. The code itself is kept and
                # compared, for the number of one that is gone is given to another.
                found = self._sites.get((id(code), frame.f_lasti))
                if found is not None and found[0] is code:
                    return found[1]
                if not self._look(frame):
                    return self._site(frame)
            frame = frame.f_back
        return None, None

    def _site(self, frame: FrameType) -> Site:
        code = frame.f_code
        site = f"{_short(code.co_filename)}:{frame.f_lineno}", _name(frame.f_globals, code.co_qualname)
        if len(self._sites) >= _MAX_KNOWN:
            self._sites.clear()
        self._sites[id(code), frame.f_lasti] = code, site
        return site

    def _look(self, frame: FrameType) -> bool:
        filename, module = frame.f_code.co_filename, frame.f_globals.get("__name__")
        is_foreign = self._is_foreign(filename, module if isinstance(module, str) else "")
        # Code that was made at run time, of whatever module, shares names such as `<string>`.
        if is_foreign and not filename.startswith("<"):
            if len(self._foreign) >= _MAX_KNOWN:
                self._foreign.clear()
            self._foreign.add(filename)
        return is_foreign

    def _is_foreign(self, filename: str, module: str) -> bool:
        packages = set(_packages(module))
        if packages & self._own:
            return True
        if listed := packages & _FRAMEWORKS:
            return not listed <= _COMMON_NAMES or _INSTALLED in filename
        return filename.startswith(_STANDARD_LIBRARY) and _INSTALLED not in filename


def _caller(depth: int, code: CodeType) -> FrameType | None:
    """The frame that called the SDK's method, None where the stack is another than the last time."""
    try:
        # One more, for this function. To look at all frames between makes an object of each.
        frame = sys._getframe(depth + 1)  # noqa: SLF001 - as above
    except ValueError:
        return None
    return frame.f_back if frame.f_code is code else None


def _way_in(frame: FrameType | None, depth: int) -> tuple[int, CodeType] | None:
    """How far the frames of the SDK and its HTTP library go without another between them."""
    place = None
    while frame is not None and _is_of_client(frame):
        place = depth, frame.f_code
        frame, depth = frame.f_back, depth + 1
    return place


def _is_of_client(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    return isinstance(module, str) and module.partition(".")[0] in _CLIENTS


@functools.cache
def call_sites(frameworks: tuple[str, ...]) -> CallSites:
    """The finder for a set of frameworks, one for all clients."""
    return CallSites(frameworks)


def _packages(module: str) -> Iterable[str]:
    """`a.b.c`, `a.b` and `a`."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def _name(names: dict[str, Any], function: str) -> str:
    module = names.get("__name__") or ""
    if module == "__main__":
        # What `python -m` runs has its own name in its specification only.
        module = getattr(names.get("__spec__"), "name", None) or module
    return _joined(module, function)


@functools.lru_cache(maxsize=_MAX_KNOWN)
def _joined(module: object, function: str) -> str:
    return storable(f"{module}.{function}" if module else function)


@functools.lru_cache(maxsize=_MAX_KNOWN)
def _short(filename: str) -> str:
    """A path without what is private or changes: relative to the working directory, else its last three parts.

    The name of the user's own directory is none of them.
    """
    path = Path(filename)
    with contextlib.suppress(ValueError, OSError):
        return storable(path.relative_to(Path.cwd()).as_posix())
    with contextlib.suppress(ValueError, RuntimeError):
        path = path.relative_to(Path.home())
    return storable("/".join(path.parts[-3:]))
