"""How long requests took and how fast answers flowed, by model and over time; at most 2 % off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.ledger.buckets import quantile
from monitor.ledger.ledger import Ledger
from monitor.ledger.measures import SPEEDS
from monitor.ledger.scopes import Slice, Where
from monitor.ledger.steps import cut_of, step_start
from monitor.ledger.usage import rows, stepped, usage_rows

_Buckets = dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Seconds that half of so many requests took at most, and 95 and 99 of 100; None where there are none."""

    requests: int
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpeed:
    """The durations of the requests of one model; of the first chunk only streams tell."""

    model: str | None
    duration: Percentiles
    first_chunk: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedPoint:
    """The durations in a step of time that begins at `start`, aware UTC."""

    start: datetime
    duration: Percentiles
    first_chunk: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRate:
    """Output tokens a second after the first chunk, over the whole streams of one model; at most 2 % off."""

    model: str | None
    streams: int
    p50: float | None
    p95: float | None


def speeds_by_model(ledger: Ledger, span: Slice) -> list[ModelSpeed]:
    """The durations of each model, the most used first."""
    source = usage_rows(span, by=("model", *SPEEDS.keys), facts=SPEEDS)
    found = [
        ModelSpeed(
            model=model, duration=_percentiles(kinds["durations"]), first_chunk=_percentiles(kinds["first_chunks"])
        )
        for model, kinds in _buckets(ledger, source, "model").items()
        if kinds["durations"]
    ]
    return sorted(found, key=lambda speed: (-speed.duration.requests, speed.model or ""))


def speed_series(ledger: Ledger, span: Slice, *, step: str, time_zone: str) -> list[SpeedPoint]:
    """The durations in each step of time, in order; steps without requests lack.

    Args:
        ledger: the ledger.
        span: which requests.
        step: one of `TIME_STEPS`.
        time_zone: IANA zone in which hours and days begin.

    Raises:
        ValueError: there is no such step.
    """
    cut = cut_of(span, step, ZoneInfo(time_zone))
    source = stepped(usage_rows(span, by=SPEEDS.keys, facts=SPEEDS, cut=cut), step, time_zone)
    return [
        SpeedPoint(
            start=step_start(step, start, time_zone),
            duration=_percentiles(kinds["durations"]),
            first_chunk=_percentiles(kinds["first_chunks"]),
        )
        for start, kinds in sorted(_buckets(ledger, source, "start").items())
        if kinds["durations"]
    ]


def output_rates(ledger: Ledger, span: Slice) -> list[OutputRate]:
    """How fast the streams of each model flowed, the most used model first; half of them, or 95 of 100, were slower."""
    source = usage_rows(span, by=("model", *SPEEDS.keys), facts=SPEEDS)
    found = [
        OutputRate(model=model, streams=sum(rates.values()), p50=quantile(rates, 0.5), p95=quantile(rates, 0.95))
        for model, kinds in _buckets(ledger, source, "model").items()
        if (rates := kinds["output_rates"])
    ]
    return sorted(found, key=lambda rate: (-rate.streams, rate.model or ""))


def _buckets(ledger: Ledger, source: Where, key: str) -> dict[Any, dict[str, _Buckets]]:
    """For each value of a column the counts of each bucket, by kind."""
    found = rows(
        ledger, f"select {key} as key, bucket, {SPEEDS.added()} from {source.sql} u group by all", source.values
    )
    groups: dict[Any, dict[str, _Buckets]] = {}
    for row in found:
        kinds = groups.setdefault(row["key"], {kind: {} for kind in SPEEDS.measures})
        for kind, buckets in kinds.items():
            if row[kind]:
                buckets[row["bucket"]] = row[kind]
    return groups


def _percentiles(buckets: _Buckets) -> Percentiles:
    return Percentiles(
        requests=sum(buckets.values()),
        p50=quantile(buckets, 0.5),
        p95=quantile(buckets, 0.95),
        p99=quantile(buckets, 0.99),
    )
