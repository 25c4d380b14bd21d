"""The server's HTTP routes beside the dashboard: its health, and answers for commands run elsewhere."""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from monitor.budgets.model import Matcher
from monitor.errors import ControlError, MonitorError
from monitor.ledger import queries
from monitor.ledger.contents import find_requests
from monitor.ledger.ledger import Ledger
from monitor.ledger.queries import Totals
from monitor.ledger.retention import lacks_before
from monitor.ledger.scopes import Slice, conditions_of
from monitor.pricing.figures import exact

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a report is about: totals for each value of `by`, of the requests in [start, end) that meet the matchers."""

    by: str
    start: datetime
    end: datetime
    matchers: tuple[Matcher, ...] = ()

    def as_params(self) -> list[tuple[str, str]]:
        """The question as query parameters, as `question_of` reads them."""
        params = [("by", self.by), ("start", self.start.isoformat()), ("end", self.end.isoformat())]
        return params + [("where", str(matcher)) for matcher in self.matchers]


def report(ledger: Ledger, question: Question) -> dict[str, Any]:
    """The answer as plain values: `rows` dearest first and the `total`; money as decimal strings, unknown as None.

    `contracted_cost` is there only where somewhere it is not the list cost, `lacks_before` only where the question
    needs requests one by one that are kept as sums only.

    Raises:
        LedgerError: `by` is no dimension.
    """
    span = Slice(start=question.start, end=question.end, conditions=conditions_of(question.matchers))
    groups = queries.by_dimension(ledger, span, question.by)
    total = queries.totals(ledger, span)
    is_discounted = any(each.is_discounted for each in (total, *(group.totals for group in groups)))
    lacking = lacks_before(ledger, span, question.by)
    return {
        "rows": [{question.by: group.value, **_figures(group.totals, is_discounted=is_discounted)} for group in groups],
        "total": _figures(total, is_discounted=is_discounted),
        **({"lacks_before": lacking.isoformat()} if lacking else {}),
    }


def show(ledger: Ledger, name: str) -> dict[str, Any]:
    """The `requests` with this record, call, response or request id as plain values, with the content of each."""
    return {"requests": [_plain(row) for row in find_requests(ledger, name)]}


def _plain(value: Any) -> Any:
    """A value of the ledger as JSON has it: ids as hex digits, times with their zone, money as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    return decimal_text(value) if isinstance(value, Decimal) else value


def _figures(totals: Totals, *, is_discounted: bool) -> dict[str, Any]:
    return {
        "requests": totals.requests,
        "calls": totals.calls,
        "errors": totals.errors,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "list_cost": decimal_text(totals.list_cost),
        **({"contracted_cost": decimal_text(totals.contracted_cost)} if is_discounted else {}),
        "unpriced_requests": totals.unpriced_requests,
        "estimated_requests": totals.estimated_requests,
        "estimated_list_cost": decimal_text(totals.estimated_list_cost),
    }


def decimal_text(value: Decimal | None) -> str | None:
    """A decimal without exponent and without zeros at its end; None stays None."""
    return None if value is None else exact(value)


def routes(
    *,
    health: Callable[[], dict[str, Any]],
    answer: Callable[[Question], dict[str, Any]],
    show: Callable[[str], dict[str, Any]],
    do: Callable[[str, Mapping[str, str]], dict[str, Any]],
    token: str,
) -> list[BaseRoute]:
    """The routes.

    Args:
        health: gives the state of the server; its `status` is `ok` or what is wrong. Who does not show the token is
            told it without paths.
        answer: answers a report; may take its time.
        show: gives the requests with an id; may take its time.
        do: does a task by its name, with what is said about it; may take its time.
        token: what a caller of these three must show; it stands in a file that only the owner can read.
    """

    async def get_health(request: Request) -> JSONResponse:
        state = await asyncio.to_thread(health)
        shown = state if _knows(request, token) else without_home(state)
        return JSONResponse(shown, status_code=200 if state["status"] == "ok" else 503)

    async def answered(request: Request, ask: Callable[[], dict[str, Any]]) -> JSONResponse:
        if not _knows(request, token):
            return JSONResponse({"error": "This route asks for the token in server.json."}, status_code=401)
        try:
            return JSONResponse(await asyncio.to_thread(ask))
        except MonitorError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    async def get_report(request: Request) -> JSONResponse:
        return await answered(request, lambda: answer(question_of(request)))

    async def get_show(request: Request) -> JSONResponse:
        return await answered(request, lambda: show(request.query_params.get("id", "")))

    async def post_task(request: Request) -> JSONResponse:
        given = {**request.query_params, **await _said_in(request, token)}
        return await answered(request, lambda: do(request.path_params["name"], given))

    return [
        Route("/api/health", get_health),
        Route("/api/report", get_report),
        Route("/api/show", get_show),
        Route("/api/ledger/{name}", post_task, methods=["POST"]),
    ]


def without_home(state: dict[str, Any]) -> dict[str, Any]:
    """The state of a server for somebody who need not know where its data lie; faults name files there."""
    home = state["home"]

    def hidden(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: hidden(part) for name, part in value.items()}
        return value.replace(home, "MONITOR_HOME") if isinstance(value, str) else value

    return {name: hidden(value) for name, value in state.items() if name != "home"}


def _knows(request: Request, token: str) -> bool:
    """Whether the caller shows the token."""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(shown.encode(), token.encode())


async def _said_in(request: Request, token: str) -> dict[str, str]:
    """What the body says; that of a stranger is not read."""
    body = await request.body() if _knows(request, token) else b""
    try:
        return msgspec.json.decode(body, type=dict[str, str]) if body else {}
    except msgspec.MsgspecError as error:
        raise HTTPException(400, f"The body cannot be read: {error}.") from error


def question_of(request: Request) -> Question:
    """Read a report's question from the query parameters.

    Raises:
        ControlError: a parameter is missing or wrong; the text names it.
    """
    params = request.query_params
    try:
        return Question(
            by=params["by"],
            start=_moment(params["start"]),
            end=_moment(params["end"]),
            matchers=tuple(Matcher.parse(text) for text in params.getlist("where")),
        )
    except (KeyError, ValueError, OverflowError) as error:
        raise ControlError(f"The report's question cannot be read: {error}.") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment.astimezone(UTC)
