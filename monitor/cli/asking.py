"""Answers a question: through the server that owns the data directory, else by opening it here."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx2

from monitor.api import Question
from monitor.errors import LeaseError, LedgerError
from monitor.home import Home
from monitor.house import House
from monitor.settings import Settings

_PATIENCE = 15.0
_PAUSE = 0.2
_ANSWER_WITHIN = 120.0
_TASK_WITHIN = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """How a running server is reached."""

    url: str
    token: str
    pid: int


def running_server(home: Home) -> RunningServer | None:
    """The server that says it runs on this data directory; None when there is none."""
    try:
        facts = json.loads(home.server.read_text(encoding="utf-8"))
        return RunningServer(url=facts["url"], token=facts["token"], pid=facts["pid"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a question is put to a server, what its answer must hold, and how it is answered here."""

    path: str
    params: Sequence[tuple[str, str]]
    mark: str
    here: Callable[[House], dict[str, Any]]
    method: str = "GET"
    within: float = _ANSWER_WITHIN

    @property
    def is_told_in_body(self) -> bool:
        """Whether what is asked may be longer than an address can be."""
        return self.method == "POST"


def ask(settings: Settings, question: Question) -> dict[str, Any]:
    """The answer to a report over everything recorded so far; what waits on the spool is drained first.

    Raises:
        LedgerError: neither a server answers nor can the data directory be opened.
    """
    params = question.as_params()
    return _ask(settings, _Way(path="report", params=params, mark="total", here=lambda house: house.answer(question)))


def ask_for(settings: Settings, name: str) -> list[dict[str, Any]]:
    """The requests with this record, call, response or request id, oldest first; the spool is drained first.

    Raises:
        LedgerError: as `ask`.
    """
    way = _Way(path="show", params=[("id", name)], mark="requests", here=lambda house: house.show(name))
    found: list[dict[str, Any]] = _ask(settings, way)["requests"]
    return found


def ask_task(settings: Settings, name: str, params: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """What a task of the house has to say, one of `House.tasks`; done by the server where one runs.

    Raises:
        LedgerError: as `ask`, or the task could not be done.
    """
    way = _Way(
        path=f"ledger/{name}",
        params=tuple(params.items()),
        mark="task",
        here=lambda house: house.do(name, params),
        method="POST",
        within=_TASK_WITHIN,
    )
    return _ask(settings, way)


def _ask(settings: Settings, way: _Way) -> dict[str, Any]:
    home = Home(settings.home)
    give_up_at = time.monotonic() + _PATIENCE
    while True:
        server = running_server(home)
        if server is not None and (answer := _ask_server(server, way)) is not None:
            return answer
        try:
            with House(settings) as house:
                return way.here(house)
        except LeaseError as error:
            # Another command is at it, or a server is just starting or stopping.
            if time.monotonic() > give_up_at:
                raise error if server is None else _silence_of(server) from None
            time.sleep(_PAUSE)


def _ask_server(server: RunningServer, way: _Way) -> dict[str, Any] | None:
    """The server's answer, or None when it is not there: one that was killed leaves its file, and its port free."""
    try:
        response = httpx2.request(
            way.method,
            f"{server.url}/api/{way.path}",
            params=httpx2.QueryParams(() if way.is_told_in_body else tuple(way.params)),
            json=dict(way.params) if way.is_told_in_body else None,
            headers={"authorization": f"Bearer {server.token}"},
            timeout=way.within,
            trust_env=False,
        )
        answer = response.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return None
    if not isinstance(answer, dict):
        return None
    if response.status_code == 400 and "error" in answer:
        raise LedgerError(f"The server at {server.url} refused the question: {answer['error']}")
    return answer if response.status_code == 200 and way.mark in answer else None


def _silence_of(server: RunningServer) -> LedgerError:
    return LedgerError(f"The server at {server.url} (process {server.pid}) runs, but does not answer.")
