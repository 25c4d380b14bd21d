"""Finds the sockets that wrapped clients open: realtime, live and translation sessions, responses over a socket.

They do not go through the HTTP transport, so the SDK's own connection managers are watched while they connect. What
a client does that is not wrapped is passed through.
"""

import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from monitor.capture.around import recorder_of
from monitor.capture.recorder import Recorder

_MODULES: Final = (
    "openai.resources.realtime.realtime",
    "openai.resources.realtime.translations.translations",
    "openai.resources.responses.responses",
    "openai.resources.live.live",
    "openai.resources.live.forks",
    "openai.resources.live.sideband",
    "openai.resources.beta.realtime.realtime",
    "openai.resources.beta.responses.responses",
)
_MANAGER: Final = "ConnectionManager"
_DOORS: Final = ("realtime", "responses", "live", "beta")
"""The clients' properties behind which these modules are loaded, when they are first asked for."""

_MARK: Final = "openai_monitor_watches"
_OPENING: Final = "monitor.capture.socket_opening"
"""Loaded when a socket is opened first: most programs never do."""

_lock: Final = threading.Lock()


def watch(client: object) -> None:
    """See to it that the sockets of this client are watched from now on; again costs next to nothing.

    The classes are the same for all clients: they look each time whether the client at hand is wrapped.
    """
    _watch_loaded()
    for name in _DOORS:
        door = inspect.getattr_static(type(client), name, None)
        if isinstance(door, functools.cached_property) and not hasattr(door.func, _MARK):
            door.func = _opening_door(door.func)


def _opening_door(load: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(load)
    def run(client: Any) -> Any:
        resource = load(client)
        _watch_loaded()
        return resource

    setattr(run, _MARK, True)
    return run


def _watch_loaded() -> None:
    with _lock:
        for name in _MODULES:
            module = sys.modules.get(name)
            if module is not None and not hasattr(module, _MARK):
                _watch_module(module)
                setattr(module, _MARK, True)


def _watch_module(module: ModuleType) -> None:
    for name, manager in list(vars(module).items()):
        if name.endswith(_MANAGER) and getattr(manager, "__module__", None) == module.__name__:
            _watch_manager(manager)


def _watch_manager(manager: Any) -> None:
    """Newer managers connect, and connect again, by one method; older ones do so where they are entered."""
    own = vars(manager)
    if "_connect_ws" in own:
        manager._connect_ws = _connecting(own["_connect_ws"])  # noqa: SLF001 - the only place that sees every handshake
        return
    for name in ("__enter__", "__aenter__"):
        if name in own:
            entering = _connecting(own[name])
            setattr(manager, name, entering)
            manager.enter = entering


def _connecting(connect: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(connect):

        @functools.wraps(connect)
        async def run_async(manager: Any, *args: Any, **kwargs: Any) -> Any:
            recorder = _recorder_of(manager)
            if recorder is None:
                return await connect(manager, *args, **kwargs)
            with _opening(recorder, manager) as opening:
                opened = await connect(manager, *args, **kwargs)
            opening.done(opened)
            return opened

        return run_async

    @functools.wraps(connect)
    def run(manager: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = _recorder_of(manager)
        if recorder is None:
            return connect(manager, *args, **kwargs)
        with _opening(recorder, manager) as opening:
            opened = connect(manager, *args, **kwargs)
        opening.done(opened)
        return opened

    return run


def _opening(recorder: Recorder, manager: Any) -> Any:
    kind = importlib.import_module(_OPENING).Opening
    return kind(recorder, manager, _private(manager, "client"), _private(manager, "model"))


def _recorder_of(manager: Any) -> Recorder | None:
    """The recorder of the client that a connection manager belongs to; None where it is not wrapped."""
    return recorder_of(_private(manager, "client"))


def _private(manager: Any, name: str) -> Any:
    """A private attribute of the SDK's manager, whose name holds that of its class."""
    for kind in type(manager).__mro__:
        value = vars(manager).get(f"_{kind.__name__.lstrip('_')}__{name}")
        if value is not None:
            return value
    return None
