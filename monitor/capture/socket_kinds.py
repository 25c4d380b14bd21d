"""The classes of watched sockets: the library's own, with a look at each message on its way."""

import functools
import inspect
import sys
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from monitor.capture.socket_events import Message
from monitor.capture.socket_session import Session

_LIBRARY: Final = "websockets"
_WATCHED: Final = ("recv", "recv_streaming", "send", "close")


def attach(socket: Any, kind: type[Any], session: Session) -> None:
    """Let a session watch an open socket, which stays the same object and an instance of its class.

    Args:
        socket: of the library `websockets`.
        kind: the watched form of its class.
        session: told of each message.
    """
    socket._openai_monitor = session  # noqa: SLF001 - put there by us
    socket.__class__ = kind
    weakref.finalize(socket, session.left)


def is_socket(kind: type[Any]) -> bool:
    """Whether it is a class of the library's sockets, or derives from one."""
    is_of_library = any(base.__module__.partition(".")[0] == _LIBRARY for base in kind.__mro__)
    return is_of_library and all(hasattr(kind, name) for name in _WATCHED)


@functools.cache
def watched_kind(kind: Any) -> type[Any]:
    """The watched form of a class of sockets; it shows the same name."""
    lost = sys.modules["websockets.exceptions"].ConnectionClosed
    made = _async_kind(kind, lost) if inspect.iscoroutinefunction(kind.recv) else _sync_kind(kind, lost)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(made, name, getattr(kind, name))
    return made


def _joined(pieces: list[Message]) -> Message:
    """The whole message of pieces that are all text or all bytes."""
    return (b"" if isinstance(pieces[0], bytes) else "").join(pieces)  # type: ignore[arg-type]  # said above


def _sync_kind(kind: type[Any], lost: type[Exception]) -> type[Any]:
    class Watched(kind):  # type: ignore[misc]  # the base is known at run time only
        _openai_monitor: Session

        @functools.wraps(kind.recv)
        def recv(self, *args: Any, **kwargs: Any) -> Any:
            try:
                message = super().recv(*args, **kwargs)
            except lost as error:
                self._openai_monitor.lost(error)
                raise
            self._openai_monitor.came(message)
            return message

        @functools.wraps(kind.recv_streaming)
        def recv_streaming(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            pieces: list[Message] = []
            try:
                for piece in super().recv_streaming(*args, **kwargs):
                    pieces.append(piece)
                    yield piece
            except lost as error:
                self._openai_monitor.lost(error)
                raise
            if pieces:
                self._openai_monitor.came(_joined(pieces))

        @functools.wraps(kind.send)
        def send(self, message: Any, *args: Any, **kwargs: Any) -> None:
            self._openai_monitor.leaving(message)
            try:
                super().send(message, *args, **kwargs)
            except lost as error:
                self._openai_monitor.lost(error)
                raise

        @functools.wraps(kind.close)
        def close(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().close(*args, **kwargs)
            finally:
                self._openai_monitor.closed()

    return Watched


def _async_kind(kind: type[Any], lost: type[Exception]) -> type[Any]:
    class Watched(kind):  # type: ignore[misc]  # the base is known at run time only
        _openai_monitor: Session

        @functools.wraps(kind.recv)
        async def recv(self, *args: Any, **kwargs: Any) -> Any:
            try:
                message = await super().recv(*args, **kwargs)
            except lost as error:
                self._openai_monitor.lost(error)
                raise
            self._openai_monitor.came(message)
            return message

        @functools.wraps(kind.recv_streaming)
        async def recv_streaming(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            pieces: list[Message] = []
            try:
                async for piece in super().recv_streaming(*args, **kwargs):
                    pieces.append(piece)
                    yield piece
            except lost as error:
                self._openai_monitor.lost(error)
                raise
            if pieces:
                self._openai_monitor.came(_joined(pieces))

        @functools.wraps(kind.send)
        async def send(self, message: Any, *args: Any, **kwargs: Any) -> None:
            self._openai_monitor.leaving(message)
            try:
                await super().send(message, *args, **kwargs)
            except lost as error:
                self._openai_monitor.lost(error)
                raise

        @functools.wraps(kind.close)
        async def close(self, *args: Any, **kwargs: Any) -> None:
            try:
                await super().close(*args, **kwargs)
            finally:
                self._openai_monitor.closed()

    return Watched
