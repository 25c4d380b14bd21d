"""The opening of a socket: watches the handshake, records one that fails, attaches a session to one that does not."""

import time
from types import TracebackType
from typing import Any, Final

from monitor.capture.guarded import guarded
from monitor.capture.handshakes import error_in, facts_of_answer, meant_by, sent_by
from monitor.capture.socket_kinds import attach, is_socket, watched_kind
from monitor.capture.socket_session import Session
from monitor.capture.socket_turns import Desk, Turn

_UNANSWERED: Final = frozenset({"OSError", "WebSocketException", "CancelledError", "KeyboardInterrupt"})
"""What is raised once a server has been asked; other exceptions tell of a mistake before that."""


class Opening:
    """A handshake under way. Never raises of itself, and lets every exception pass."""

    def __init__(self, desk: Desk, manager: Any, client: Any, model: object) -> None:
        """Begin now.

        Args:
            desk: takes what is recorded.
            manager: the SDK's connection manager.
            client: the client it belongs to.
            model: the model it was made for, if that is part of the address.
        """
        self._desk = desk
        self._manager = manager
        self._client = client
        self._model = model
        self._began = time.perf_counter()
        self.guard = desk.guard

    def __enter__(self) -> "Opening":
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is not None and any(kind.__name__ in _UNANSWERED for kind in type(error).__mro__):
            self._failed(error)

    @guarded
    def done(self, opened: Any) -> None:
        """Watch the socket that was opened; older managers give the SDK's object around it.

        What is no socket of the library stays as it is: programs put their own in the place of one in their tests.
        """
        socket: Any = opened if hasattr(opened, "recv_streaming") else getattr(opened, "_connection", None)
        kind_of_socket: Any = type(socket)
        if not is_socket(kind_of_socket) or isinstance(getattr(socket, "_openai_monitor", None), Session):
            return
        kind = watched_kind(kind_of_socket)
        handshake = sent_by(socket, self._client)
        seconds = time.perf_counter() - self._began
        attach(socket, kind, Session(self._desk, handshake, facts_of_answer(socket.response), seconds_ago=seconds))

    @guarded
    def _failed(self, error: BaseException) -> None:
        handshake = meant_by(self._manager, self._client, self._model)
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
