"""Runs functions of every kind inside a block; generators by steps, so that it does not hold where they are read."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final

_Block = AbstractContextManager[Any]
_Function = Callable[..., Any]


def inside(block: _Block, function: _Function) -> _Function:
    """A function of the same kind (plain, async, generator, async generator) that does the same inside the block.

    Args:
        block: can be entered again and again, and by many at once.
        function: the function.
    """
    called = _called(function)
    for is_kind, around in _KINDS:
        if is_kind(function) or is_kind(called):
            return around(block, function)
    return _plain(block, function)


def _called(function: _Function) -> object:
    """What runs when an object is called, of whatever class."""
    while isinstance(function, functools.partial):
        function = function.func
    return type(function).__call__


def _plain(block: _Block, function: _Function) -> _Function:
    def run(*args: Any, **kwargs: Any) -> Any:
        with block:
            return function(*args, **kwargs)

    return run


def _awaited(block: _Block, function: _Function) -> _Function:
    async def run(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await function(*args, **kwargs)

    return run


def _stepped(block: _Block, function: _Function) -> _Function:
    def run(*args: Any, **kwargs: Any) -> Any:
        return (yield from _Steps(block, function(*args, **kwargs)))

    return run


class _Steps(Generator[Any, Any, Any]):
    """A generator whose every step is inside a block."""

    def __init__(self, block: _Block, inner: Generator[Any, Any, Any]) -> None:
        self._block = block
        self._inner = inner

    def send(self, value: Any) -> Any:
        with self._block:
            return self._inner.send(value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        """Go on with an exception, given alone or as the three that were usual before Python 3.12."""
        error = value if isinstance(value, BaseException) else kind if value is None else kind(value)
        with self._block:
            return self._inner.throw(error if trace is None else error.with_traceback(trace))

    def close(self) -> None:
        with self._block:
            self._inner.close()


def _stepped_async(block: _Block, function: _Function) -> _Function:
    """The same for async generators, which know no `yield from`."""

    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        step: Any = inner.asend
        given: Any = None
        try:
            while True:
                with block:
                    try:
                        item = await step(given)
                    except StopAsyncIteration:
                        return
                try:
                    given = yield item
                    step = inner.asend
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - the generator decides what becomes of it
                    step, given = inner.athrow, error
        finally:
            with block:
                await inner.aclose()

    return run


_KINDS: Final[tuple[tuple[Callable[[object], bool], Callable[[_Block, _Function], _Function]], ...]] = (
    (inspect.iscoroutinefunction, _awaited),
    (inspect.isasyncgenfunction, _stepped_async),
    (inspect.isgeneratorfunction, _stepped),
)
