"""Finds the sockets that wrapped clients open: realtime, live and translation sessions, responses over a socket.

They do not go through the HTTP transport, so the SDK's own connection managers are watched while they connect. What
a client does that is not wrapped is passed through.
"""

import functools
import inspect
import sys
import time
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any, Final

from monitor.capture.guarded import guarded
from monitor.capture.handshakes import error_in, facts_of_answer, meant_by, sent_by
from monitor.capture.socket_kinds import attach
from monitor.capture.socket_session import Session
from monitor.capture.socket_turns import Desk, Turn
from monitor.capture.transport import RecordingTransport

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
_UNANSWERED: Final = frozenset({"OSError", "WebSocketException", "CancelledError", "KeyboardInterrupt"})
"""What is raised once a server has been asked; other exceptions tell of a mistake before that."""


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
            desk = _desk_of(manager)
            if desk is None:
                return await connect(manager, *args, **kwargs)
            with _Opening(desk, manager) as opening:
                opened = await connect(manager, *args, **kwargs)
            opening.done(opened)
            return opened

        return run_async

    @functools.wraps(connect)
    def run(manager: Any, *args: Any, **kwargs: Any) -> Any:
        desk = _desk_of(manager)
        if desk is None:
            return connect(manager, *args, **kwargs)
        with _Opening(desk, manager) as opening:
            opened = connect(manager, *args, **kwargs)
        opening.done(opened)
        return opened

    return run


class _Opening:
    """A handshake under way. Never raises of itself, and lets every exception pass."""

    def __init__(self, desk: Desk, manager: Any) -> None:
        self._desk = desk
        self._manager = manager
        self._began = time.perf_counter()
        self.guard = desk.guard

    def __enter__(self) -> "_Opening":
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is not None and any(kind.__name__ in _UNANSWERED for kind in type(error).__mro__):
            self._failed(error)

    @guarded
    def done(self, opened: Any) -> None:
        """Watch the socket that was opened; older managers give the SDK's object around it."""
        socket = opened if hasattr(opened, "recv_streaming") else opened._connection  # noqa: SLF001 - as the SDK has it
        handshake = sent_by(socket, _private(self._manager, "client"))
        seconds = time.perf_counter() - self._began
        attach(socket, Session(self._desk, handshake, facts_of_answer(socket.response), seconds_ago=seconds))

    @guarded
    def _failed(self, error: BaseException) -> None:
        handshake = meant_by(self._manager, _private(self._manager, "client"), _private(self._manager, "model"))
        answer = getattr(error, "response", None)
        told = facts_of_answer(answer) if hasattr(answer, "status_code") else {}
        facts = {**self._desk.facts_for(handshake), "operation_name": "connect", "is_billable": False, **told}
        turn = Turn(self._desk, {**facts, "request_model": handshake.model})
        turn.date(time.perf_counter() - self._began)
        if told:
            turn.took_error(error_in(answer))
        else:
            turn.broke(error)
        turn.finish("failed")


def _desk_of(manager: Any) -> Desk | None:
    """The recorder of the client that a connection manager belongs to; None where it is not wrapped."""
    http_client = getattr(_private(manager, "client"), "_client", None)
    transport = getattr(http_client, "_transport", None)
    return transport.recorder if isinstance(transport, RecordingTransport) else None


def _private(manager: Any, name: str) -> Any:
    """A private attribute of the SDK's manager, whose name holds that of its class."""
    for kind in type(manager).__mro__:
        value = vars(manager).get(f"_{kind.__name__.lstrip('_')}__{name}")
        if value is not None:
            return value
    return None
