"""Our own faults never reach the caller: they are counted, and told once in the log."""

import functools
import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

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
    """Make a method that returns None instead of raising; `KeyboardInterrupt` and its like still pass."""

    @functools.wraps(method)
    def run(self: S, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            # To give on names that nobody gave takes as long as all the rest.
            return method(self, *args, **kwargs) if kwargs else method(self, *args)  # type: ignore[call-arg]  # as told
        except Exception as fault:  # noqa: BLE001 - this is the place that keeps faults from the caller
            self.guard.caught(fault)
            return None

    # What `wraps` returns is for mypy no method any more.
    return cast("Callable[Concatenate[S, P], R | None]", run)
