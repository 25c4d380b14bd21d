"""Asks every question of every page of ledgers of several sizes, cold and warm.

python -m bench.queries --requests 1000000 --requests 10000000 --directory /tmp/ledgers --json answers.json

*Cold*: a fresh connection, and the file is put out of the operating system's cache as far as it lets go of it
(`posix_fadvise`; no rights are needed). *Warm*: the same question again. Each figure is over all spans and filters.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import duckdb

from bench.crowd import END, fill
from monitor.ledger import (
    error_queries,
    limit_queries,
    overview_queries,
    queries,
    request_queries,
    retry_queries,
    speed_queries,
)
from monitor.ledger.ledger import Ledger
from monitor.ledger.scopes import Condition, Slice

Ask = Callable[[Ledger, Slice, str, str], object]

_SPANS = {"1 h": 1, "24 h": 24, "7 d": 7 * 24, "30 d": 30 * 24, "365 d": 365 * 24}
_FILTERS: dict[str, tuple[Condition, ...]] = {
    "none": (),
    "team": (Condition(dimension="team", values=("team-3",)),),
    "model": (Condition(dimension="model", values=("model-07-2026-04-01",)),),
    "user": (Condition(dimension="user", values=("user-00042",)),),
}


def _leading(dimension: str, ledger: Ledger, span: Slice, step: str, zone: str) -> object:
    return overview_queries.leading_series(ledger, span, dimension, limit=6, step=step, time_zone=zone)


def _by(dimension: str, ledger: Ledger, span: Slice, _step: str, _zone: str) -> object:
    return overview_queries.portions(ledger, span, dimension, limit=8)


def _series(dimension: str | None, ledger: Ledger, span: Slice, step: str, zone: str) -> object:
    return queries.series(ledger, span, step=step, time_zone=zone, dimension=dimension)


def _deep_page(ledger: Ledger, span: Slice, _step: str, _zone: str) -> object:
    """A page from the middle of the slice."""
    key = request_queries.Key(started_at=span.start + (span.end - span.start) / 2, record_id=_NO_ID)
    return request_queries.page_of_requests(ledger, span, limit=50, before=key)


_NO_ID = UUID(int=0)

QUESTIONS: dict[str, dict[str, Ask]] = {
    "overview": {
        "totals": lambda ledger, span, _s, _z: queries.totals(ledger, span),
        "durations": lambda ledger, span, _s, _z: queries.durations(ledger, span),
        "values of a filter": lambda ledger, span, _s, _z: queries.values_of(ledger, span, "model"),
        "spend over time by model": partial(_leading, "model"),
        "spend over time by user": partial(_leading, "user"),
        "spend by team": partial(_by, "team"),
        "spend by user": partial(_by, "user"),
        "spend by call site": partial(_by, "call_site"),
        "requests over time": partial(_series, None),
        "errors over time": partial(_series, "error_class"),
        "models of unknown cost": lambda ledger, span, _s, _z: overview_queries.unpriced_by_model(ledger, span),
        "first request": lambda ledger, _span, _s, _z: queries.first_request_at(ledger),
        "latest requests": lambda ledger, span, _s, _z: request_queries.page_of_requests(ledger, span, limit=25),
    },
    "reliability": {
        "under way": lambda ledger, _span, _s, _z: error_queries.under_way(ledger),
        "failures": lambda ledger, span, _s, _z: error_queries.failures(ledger, span),
        "failures over time": lambda ledger, span, step, zone: error_queries.failures_over_time(
            ledger, span, step=step, time_zone=zone
        ),
        "limits": lambda ledger, span, _s, _z: limit_queries.limit_states(ledger, span, limit=13),
        "retried calls": lambda ledger, span, _s, _z: retry_queries.retried_calls(ledger, span),
        "worst retried calls": lambda ledger, span, _s, _z: retry_queries.worst_retried_calls(ledger, span, limit=10),
        "speed over time": lambda ledger, span, step, zone: speed_queries.speed_series(
            ledger, span, step=step, time_zone=zone
        ),
        "speed by model": lambda ledger, span, _s, _z: speed_queries.speeds_by_model(ledger, span),
        "output rates": lambda ledger, span, _s, _z: speed_queries.output_rates(ledger, span),
    },
    "requests": {
        "newest page": lambda ledger, span, _s, _z: request_queries.page_of_requests(ledger, span, limit=50),
        "page in the middle": _deep_page,
        "search by response id": lambda ledger, span, _s, _z: request_queries.requests_with(
            ledger, "chatcmpl-none", until=span.end, days=31
        ),
        "search by record id": lambda ledger, span, _s, _z: request_queries.requests_with(
            ledger, _some_id(ledger), until=span.end, days=1
        ),
    },
    "data quality": {
        "unknown costs": lambda ledger, span, _s, _z: queries.unpriced_models(ledger, span),
        "cost to come": lambda ledger, span, _s, _z: overview_queries.cost_to_come(ledger, span),
        "losses": lambda ledger, _span, _s, _z: queries.losses(ledger),
        "price lists": lambda ledger, _span, _s, _z: queries.price_lists(ledger),
    },
    "budgets": {"spend of": lambda ledger, span, _s, _z: queries.totals(ledger, span)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One question of one slice: milliseconds, cold and warm (the median of those that were measured)."""

    requests: int
    page: str
    question: str
    span: str
    condition: str
    cold: float
    warm: float


def _some_id(ledger: Ledger) -> str:
    with ledger.cursor() as cursor:
        row = cursor.execute("select record_id from requests limit 1").fetchone()
    return str(row[0]) if row else ""


def _measure(path: Path, requests: int, *, repeats: int, zone: str, only: str | None) -> Iterator[Took]:
    for page, questions in QUESTIONS.items():
        for question, ask in questions.items():
            if only is not None and only not in question:
                continue
            for span_name, hours in _SPANS.items():
                whole = Slice(start=END - timedelta(hours=hours), end=END.replace(minute=0) + timedelta(hours=1))
                step = "minute" if hours <= 2 else "hour" if hours <= 72 else "day"
                for condition, conditions in _FILTERS.items():
                    span = replace(whole, conditions=conditions)
                    cold, warm = _times(path, partial(_put, ask, span, step, zone), repeats)
                    yield Took(
                        requests=requests,
                        page=page,
                        question=question,
                        span=span_name,
                        condition=condition,
                        cold=cold,
                        warm=warm,
                    )


def _put(ask: Ask, span: Slice, step: str, zone: str, ledger: Ledger) -> object:
    return ask(ledger, span, step, zone)


def _times(path: Path, ask: Callable[[Ledger], object], repeats: int) -> tuple[float, float]:
    _forget(path)
    with Ledger.open_read_only(path) as ledger:
        cold = _milliseconds(ledger, ask)
        warm = statistics.median(_milliseconds(ledger, ask) for _ in range(repeats))
    return cold, warm


def _milliseconds(ledger: Ledger, ask: Callable[[Ledger], object]) -> float:
    begin = time.perf_counter()
    ask(ledger)
    return (time.perf_counter() - begin) * 1e3


def _forget(path: Path) -> None:
    """Ask the operating system to let go of what it keeps of the file."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _quantiles(values: Sequence[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered):7.0f} {p95:7.0f} {ordered[-1]:7.0f}"


def _print(found: Sequence[Took], sizes: Sequence[int]) -> None:
    """A table for each size; `grew` is the warm median over that of the size before."""
    print(f"{'milliseconds':>28}  {'cold p50':>7} {'p95':>7} {'max':>7}   {'warm p50':>7} {'p95':>7} {'max':>7}  grew")
    before: dict[tuple[str, str], float] = {}
    for size in sizes:
        print(f"{size:,} requests")
        for key in dict.fromkeys((took.page, took.question) for took in found):
            ours = [took for took in found if took.requests == size and (took.page, took.question) == key]
            warm = [took.warm for took in ours]
            grew = f"{statistics.median(warm) / before[key]:.1f}" if key in before else ""
            before[key] = statistics.median(warm)
            print(f"{key[1]:>28}  {_quantiles([took.cold for took in ours])}   {_quantiles(warm)}  {grew}")
        ours = [took for took in found if took.requests == size]
        print(f"{'all':>28}  {_quantiles([t.cold for t in ours])}   {_quantiles([t.warm for t in ours])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, action="append", help="size of a ledger; may be given several times")
    parser.add_argument("--directory", type=Path, default=Path("build/ledgers"), help="where the ledgers are kept")
    parser.add_argument("--repeats", type=int, default=3, help="warm measurements of each question")
    parser.add_argument("--time-zone", default="Europe/Berlin", help="in which days begin")
    parser.add_argument("--only", help="questions whose name has this")
    parser.add_argument("--json", type=Path, help="where each measurement is written to")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    sizes = options.requests or [1_000_000]
    found: list[Took] = []
    for size in sizes:
        path = options.directory / f"{size}.duckdb"
        if not path.exists():
            fill(path, size)
        print(
            f"{size:,}: {path.stat().st_size / size:.0f} bytes a request, DuckDB {duckdb.__version__}", file=sys.stderr
        )
        found += _measure(path, size, repeats=options.repeats, zone=options.time_zone, only=options.only)
    _print(found, sizes)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(took) for took in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
