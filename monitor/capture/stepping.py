"""Runs generators step by step inside a block, so that what the block holds does not hold where they are read."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

_Block = AbstractContextManager[Any]


class Stepped(Generator[Any, Any, Any]):
    """A generator whose every step is inside a block that can be entered again and again; for `yield from`."""

    def __init__(self, block: _Block, inner: Generator[Any, Any, Any]) -> None:
        """Run nothing yet."""
        self._block = block
        self._inner = inner

    def send(self, value: Any) -> Any:
        """Go on with a value."""
        with self._block:
            return self._inner.send(value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        """Go on with an exception, given alone or as the three that were usual before Python 3.12."""
        error = value if isinstance(value, BaseException) else kind if value is None else kind(value)
        with self._block:
            return self._inner.throw(error if trace is None else error.with_traceback(trace))

    def close(self) -> None:
        """Let it end."""
        with self._block:
            self._inner.close()


def stepping(block: _Block, function: Callable[..., AsyncGenerator[Any, Any]]) -> Callable[..., Any]:
    """The same for a function that gives async generators, which know no `yield from`."""

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
