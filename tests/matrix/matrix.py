"""Runs the program of the matrix in the environment of an SDK, and says what server, program and ledger saw."""

import json
import os
import subprocess
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.installed import installed_price_book
from tests.cassettes.server import Answer, Asked, LoopbackServer
from tests.matrix.cases import BREAKS_OFF, HANGS_UP, MARK, PLAIN, RUN, WATCHED, Case

ROOT = Path(__file__).parents[2]
_FOREIGN = ("MONITOR_", "OPENAI_", "AZURE_", "OTEL_", "COVERAGE_", "COV_")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
_OWN_HEADERS = ("host", "content-length", "accept-encoding", RUN)

Row = dict[str, Any]


def python_of(environment: str) -> Path:
    """The interpreter of an environment that `make` sets up."""
    return ROOT / environment / "bin" / "python"


def is_ready(environment: str) -> bool:
    """Whether an environment could be set up to its end."""
    return (ROOT / environment / ".locked").exists()


def run_in(
    environment: str,
    module: str,
    *arguments: str,
    given: str = "",
    within: float,
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module of the tests there; `more` are variables of its environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
    }
    return subprocess.run(
        [python_of(environment), "-W", "ignore", "-m", module, *arguments],
        env=kept | dict(more or {}) | {"PYTHONPATH": str(ROOT)},
        input=given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
    )


class Answering:
    """Answers each request of a case by its place in the call, and keeps what it sent."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = {case.name: case for case in cases}
        self._lock = threading.Lock()
        self.asked: dict[tuple[str, str], list[Asked]] = defaultdict(list)
        self.tokens: Counter[str] = Counter()
        """Tokens in and out that watched calls of a case were told."""

    def __call__(self, asked: Asked) -> Answer:
        case, run = self._cases[asked.headers[MARK]], asked.headers[RUN]
        with self._lock:
            number = len(self.asked[case.name, run])
            self.asked[case.name, run].append(asked)
        fault = case.statuses[number] if number < len(case.statuses) else 200
        if fault == HANGS_UP:
            return Answer(hangs_up=True)
        if fault >= 400:
            return _refusal(fault)
        answer = _good(case, asked)
        if fault == BREAKS_OFF:
            return _broken(answer)
        if case.called.tokens and run == WATCHED:
            self.tokens[case.name] += sum(case.called.tokens)
        return answer


def _refusal(status: int) -> Answer:
    error = {"message": f"Refused with {status}.", "type": "server_error", "param": None, "code": "no"}
    headers = (("content-type", "application/json"), ("x-request-id", "req_no"), ("retry-after-ms", "1"))
    return Answer(status=status, headers=headers, pieces=(json.dumps({"error": error}).encode(),))


def _good(case: Case, asked: Asked) -> Answer:
    called = case.called
    headers = (("content-type", called.content_type), ("x-request-id", "req_1"), ("openai-processing-ms", "7"))
    is_asked = called.asked_pieces and json.loads(asked.body).get("stream_options", {}).get("include_usage")
    pieces = called.asked_pieces if is_asked else called.pieces
    return Answer(headers=headers, pieces=pieces, is_chunked=called.is_stream or called.is_binary)


def _broken(answer: Answer) -> Answer:
    first = answer.pieces[0][:20] if len(answer.pieces) == 1 else answer.pieces[0]
    return Answer(
        headers=answer.headers,
        pieces=(first,),
        is_chunked=answer.is_chunked,
        breaks_off=True,
        missing=0 if answer.is_chunked else 9,
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that was seen."""

    facts: dict[str, Any]
    answering: Answering
    rows: dict[str, list[Row]]
    quarantined: int

    def sent(self, case: Case, run: str) -> list[object]:
        """What the server got of a case, but for what asking for the usage changes."""
        return [_shown(asked) for asked in self.answering.asked[case.name, run]]

    def faults(self, case: Case) -> list[str]:
        """Everything that is not as it must be."""
        unwatched, watched = self.facts["seen"][case.name]
        rows = self.rows.get(case.name, [])
        answered = [row for row in rows if row["usage_source"] == "response"]
        told = sum((row["input_tokens"] or 0) + (row["output_tokens"] or 0) for row in answered)
        attempts = list(range(len(rows))) if self._has_counts else [0] * len(rows)
        checks = {
            "the program sees something else": watched == unwatched,
            "the server is sent something else": self.sent(case, WATCHED) == self.sent(case, PLAIN),
            "the server got another number of requests": len(self.sent(case, WATCHED)) == case.requests,
            "the ledger has another number of requests": len(rows) == case.requests,
            "the attempts are misnumbered": sorted(row["attempt"] for row in rows) == attempts,
            "retries are calls of their own": len({row["call_id"] for row in rows}) == 1 or not self._has_counts,
            "the ledger has other tokens": told == self.answering.tokens[case.name],
            "the outcomes are wrong": self._are_outcomes_right(case, rows),
        }
        return [f"{case.name}: {text}" for text, holds in checks.items() if not holds]

    def _are_outcomes_right(self, case: Case, rows: list[Row]) -> bool:
        outcomes = [row["outcome"] for row in rows]
        return outcomes.count("completed") == int(case.is_answered)

    @property
    def _has_counts(self) -> bool:
        """Whether this SDK numbers its retries; 1.45 was the first."""
        return tuple(map(int, self.facts["version"].split(".")[:2])) >= (1, 45)


def _shown(asked: Asked) -> object:
    headers = {name: value for name, value in asked.headers.items() if name not in _OWN_HEADERS}
    content_type = headers.get("content-type", "")
    if content_type.startswith("multipart/"):
        boundary = content_type.partition("boundary=")[2].encode()
        headers["content-type"] = "multipart/form-data"
        return asked.method, asked.target, headers, asked.body.replace(boundary, b"")
    body = json.loads(asked.body) if content_type == "application/json" and asked.body else asked.body
    if isinstance(body, dict):
        body.pop("stream_options", None)
    return asked.method, asked.target, headers, body


def run_matrix(environment: str, cases: Sequence[Case], home: Path, *, within: float) -> Outcome:
    """Make all calls of the cases with the SDK of an environment, and drain what they left."""
    answering = Answering(cases)
    with LoopbackServer(answering) as server:
        given = json.dumps([case.values for case in cases])
        ended = run_in(environment, "tests.matrix.program", server.address, str(home), given=given, within=within)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr[-4_000:]
    rows, quarantined = drain(home)
    return Outcome(facts=json.loads(ended.stdout), answering=answering, rows=rows, quarantined=quarantined)


def drain(directory: Path, tag: str = "case") -> tuple[dict[str, list[Row]], int]:
    """Everything on a spool taken into a ledger: its requests by a tag, and how many lines could not be read."""
    home = Home(directory)
    with Ledger.open(home.ledger) as ledger:
        Drain(ledger, home.spool, installed_price_book(), Health()).run()
        with ledger.cursor() as cursor:
            cursor.execute("select * from requests")
            names = [column[0] for column in cursor.description or ()]
            rows: dict[str, list[Row]] = defaultdict(list)
            for values in cursor.fetchall():
                row = dict(zip(names, values, strict=True))
                rows[(row["tags"] or {}).get(tag, "")].append(row)
            quarantined = cursor.execute("select count(*) from quarantine").fetchall()[0][0]
    return dict(rows), int(quarantined)
