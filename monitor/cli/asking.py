"""Answers a report: through the server that owns the data directory, else by opening it here."""

import json
import time
from dataclasses import dataclass
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


def ask(settings: Settings, question: Question) -> dict[str, Any]:
    """The answer over everything recorded so far; what waits on the spool is drained first.

    Raises:
        LedgerError: neither a server answers nor can the data directory be opened.
    """
    home = Home(settings.home)
    give_up_at = time.monotonic() + _PATIENCE
    while True:
        server = running_server(home)
        if server is not None and (answer := _ask_server(server, question)) is not None:
            return answer
        try:
            with House(settings) as house:
                return house.answer(question)
        except LeaseError as error:
            # Another report is at it, or a server is just starting or stopping.
            if time.monotonic() > give_up_at:
                raise error if server is None else _silence_of(server) from None
            time.sleep(_PAUSE)


def _ask_server(server: RunningServer, question: Question) -> dict[str, Any] | None:
    """The server's answer, or None when it is not there: one that was killed leaves its file, and its port free."""
    try:
        response = httpx2.get(
            f"{server.url}/api/report",
            params=httpx2.QueryParams(tuple(question.as_params())),
            headers={"authorization": f"Bearer {server.token}"},
            timeout=_ANSWER_WITHIN,
            trust_env=False,
        )
        answer = response.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return None
    if not isinstance(answer, dict):
        return None
    if response.status_code == 400 and "error" in answer:
        raise LedgerError(f"The server at {server.url} refused the question: {answer['error']}")
    return answer if response.status_code == 200 and "total" in answer else None


def _silence_of(server: RunningServer) -> LedgerError:
    return LedgerError(f"The server at {server.url} (process {server.pid}) runs, but does not answer.")
