"""Methods of the SDK's clients that are watched: those that make copies, and the one that makes requests.

They are watched on the classes, as the sockets are: a client itself looks and copies as it did, and what is done with
one that is not wrapped is passed through.
"""

import functools
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, Protocol

from monitor.capture.around import MARK

_COPYING: Final = ("copy", "with_options")
_BUILD: Final = "_build_request"
_WATCHED: Final = "openai_monitor_watches"

_lock: Final = threading.Lock()


class Copied(Protocol):
    """Is told of a client and the copy that is made of it, and whether that has another base URL. Must not raise."""

    def __call__(self, client: Any, copy: Any, *, is_moved: bool) -> None:
        """A copy is made."""


def watch_copies(kind: type[Any], copied: Copied) -> None:
    """Have `copied` told of the copies of clients of a class; again costs next to nothing."""
    with _lock:
        for owner in kind.__mro__:
            if hasattr(owner, _BUILD):
                _watch_copies_of(owner, copied)


def watch_requests(kind: type[Any]) -> bool:
    """Have every request of a guest say whose it is; whether that can be."""
    with _lock:
        owner: Any = next((owner for owner in kind.__mro__ if _BUILD in vars(owner)), None)
        if owner is None:
            return False
        build = vars(owner)[_BUILD]
        if not hasattr(build, _WATCHED):
            setattr(owner, _BUILD, _marking(build))
        return True


def _watch_copies_of(owner: type[Any], copied: Copied) -> None:
    # Both names are one function, and stay so.
    followed: dict[Any, Any] = {}
    for name in _COPYING:
        copy = vars(owner).get(name)
        if isinstance(copy, FunctionType) and not hasattr(copy, _WATCHED):
            setattr(owner, name, followed.setdefault(copy, _following(copy, copied)))


def _following(copy: Callable[..., Any], copied: Copied) -> Callable[..., Any]:
    @functools.wraps(copy)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        made = copy(self, *args, **kwargs)
        if made is not self:
            copied(self, made, is_moved=kwargs.get("base_url") is not None)
        return made

    setattr(run, _WATCHED, True)
    return run


def _marking(build: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(build)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = build(self, *args, **kwargs)
        if (guest := vars(self).get(MARK)) is not None:
            request.extensions[MARK] = guest
        return request

    setattr(run, _WATCHED, True)
    return run
