"""Our own faults never reach the caller: they are counted, and told once in the log."""

import functools
import logging
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

from monitor.health import Health

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class Guard:
    """Takes note of faults inside the recorder."""

    def __init__(self, health: Health) -> None:
        """Count into `health`."""
        self.health = health

    def caught(self, fault: Exception) -> None:
        """Count a fault; the first one is logged with its traceback, which holds no request data."""
        if self.health.count("internal_errors_total") == 1:
            log.warning(
                "openai-monitor could not record a request (%s). The call itself is not affected; "
                "further faults are only counted.",
                type(fault).__name__,
                exc_info=fault,
            )


class Guarded(Protocol):
    """Something whose methods must not raise into the caller's program."""

    guard: Guard


S = TypeVar("S", bound=Guarded)


def guarded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R | None]:
    """Make a method that returns None instead of raising; `KeyboardInterrupt` and its like still pass.

    Arguments of methods that have one or two are given by place.
    """
    code = method.__code__
    around = _any if code.co_kwonlyargcount else _BY_COUNT.get(code.co_argcount, _any)
    return cast("Callable[Concatenate[S, P], R | None]", functools.wraps(method)(around(method)))


_Method = Callable[..., Any]


def _alone(method: _Method) -> _Method:
    def run(self: Guarded) -> Any:
        try:
            return method(self)
        except Exception as fault:  # noqa: BLE001 - this is the place that keeps faults from the caller
            self.guard.caught(fault)
            return None

    return run


def _with_one(method: _Method) -> _Method:
    def run(self: Guarded, one: Any, /) -> Any:
        try:
            return method(self, one)
        except Exception as fault:  # noqa: BLE001 - as above
            self.guard.caught(fault)
            return None

    return run


def _with_two(method: _Method) -> _Method:
    def run(self: Guarded, one: Any, two: Any, /) -> Any:
        try:
            return method(self, one, two)
        except Exception as fault:  # noqa: BLE001 - as above
            self.guard.caught(fault)
            return None

    return run


def _any(method: _Method) -> _Method:
    def run(self: Guarded, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except Exception as fault:  # noqa: BLE001 - as above
            self.guard.caught(fault)
            return None

    return run


_BY_COUNT: Final = {1: _alone, 2: _with_one, 3: _with_two}
"""By the number of arguments, `self` among them: to collect them in a tuple takes longer than the guarding."""
