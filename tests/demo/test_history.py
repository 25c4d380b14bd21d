from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from genai_prices import Usage, calc_price

from monitor.demo.budgets import budgets_for
from monitor.demo.cast import BURST_SERVICE, SERVICES, SPIKE_FEATURE
from monitor.demo.history import HistorySummary, write_history
from monitor.health import Health
from monitor.records import OUTCOMES, USAGE_SOURCES, Record
from monitor.spool.format import is_intact
from monitor.spool.writer import SpoolWriter

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
_NEAR = (Decimal("0.60"), Decimal("0.85"))
ERROR_CLASSES = {
    "rate_limit",
    "quota",
    "server",
    "overloaded",
    "context_length",
    "not_found",
    "timeout",
    "connection",
}


class History(NamedTuple):
    summary: HistorySummary
    records: list[Record]


def write(directory: Path, now: datetime = NOW, days: int = 30) -> History:
    writer = SpoolWriter(directory, segment_size=2**30, health=Health())
    summary = write_history(writer, now=now, days=days, seed=7)
    writer.close()
    return History(summary, list(read(directory)))


def read(directory: Path) -> Iterator[Record]:
    decode = msgspec.json.Decoder(Record).decode
    for path in directory.iterdir():
        for line in path.read_bytes().splitlines():
            assert is_intact(line)
            if b'"kind":"end"' in line[:40]:
                yield decode(line)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return write(tmp_path_factory.mktemp("spool"))


def test_every_record_is_read_back(history: History) -> None:
    """The spool holds as many records as the summary says, some ten thousands."""
    assert len(history.records) == history.summary.requests
    assert 60_000 <= history.summary.requests <= 90_000
    assert history.summary.calls < history.summary.requests


def test_nothing_lies_in_the_future(history: History) -> None:
    """Every request has ended by `now`, and the last ones not long before."""
    ends = [record.started_at + timedelta(seconds=record.duration or 0) for record in history.records]

    assert max(ends) <= NOW
    assert max(ends) > NOW - timedelta(minutes=30)
    assert min(ends) > NOW - timedelta(days=32)


def test_ids_are_unique_and_in_the_order_of_time(history: History) -> None:
    """A record id begins with the millisecond its request began."""
    assert len({record.record_id for record in history.records}) == len(history.records)
    for record in history.records[::97]:
        assert len(record.record_id) == len(record.call_id) == 32
        assert abs(int(record.record_id[:12], 16) / 1000 - record.started_at.timestamp()) < 0.002


def test_attempts_of_a_call_are_numbered_from_zero(history: History) -> None:
    """Retries share the call id, count up, begin after the one before, and follow only after a failure."""
    calls: dict[str, list[Record]] = {}
    for record in history.records:
        calls.setdefault(record.call_id, []).append(record)
    retried = [records for records in calls.values() if len(records) > 1]

    assert len(retried) > 300
    for records in retried:
        assert records[0].record_id == records[0].call_id
        assert [record.attempt for record in records] == list(range(len(records)))
        assert all(record.outcome == "failed" for record in records[:-1])
        for one, other in pairwise(records):
            assert one.started_at + timedelta(seconds=one.duration or 0) < other.started_at


def test_values_are_those_that_capture_writes(history: History) -> None:
    """Outcomes, error classes and usage sources are known ones, and unknown is never zero."""
    for record in history.records:
        assert record.outcome in OUTCOMES
        assert record.usage_source in USAGE_SOURCES
        assert record.error_class is None or record.error_class in ERROR_CLASSES
        assert (record.usage_source == "none") == (record.outcome != "completed")
        assert (record.input_tokens is None) == (record.outcome != "completed")
        assert (record.time_to_first_chunk is None) == (not record.is_streaming or record.outcome == "failed")
        assert (record.cache_read_input_tokens or 0) <= (record.input_tokens or 0)
        assert (record.reasoning_output_tokens or 0) <= (record.output_tokens or 0)
    assert {record.error_class for record in history.records} == ERROR_CLASSES | {None}


def test_all_services_and_a_model_without_a_price_are_there(history: History) -> None:
    """Each feature of the cast was used, also the one whose model no price list knows."""
    features = {feature.name for service in SERVICES for feature in service.features}

    assert {record.feature for record in history.records} == features
    assert {record.service for record in history.records} == {service.name for service in SERVICES}
    assert any(record.response_model == "acme-intent-v3" for record in history.records)


def test_office_work_rests_at_weekends(history: History) -> None:
    """Code reviews are made on working days, by day."""
    reviews = [record.started_at for record in history.records if record.service == "code-review"]
    weekend = sum(moment.weekday() >= 5 for moment in reviews)

    assert weekend < len(reviews) / 15
    assert not any(moment.hour < 5 for moment in reviews)


def test_traffic_grows(history: History) -> None:
    """The last whole week has clearly more calls than the first."""
    days = Counter(record.started_at.date() for record in history.records)
    ordered = [days[day] for day in sorted(days)]

    assert sum(ordered[-8:-1]) > 1.1 * sum(ordered[:7])


def test_one_day_shows_a_spike_of_one_feature(history: History) -> None:
    """The spike day costs at least twice as much as any other, because of long prompts of one feature."""
    totals: Counter[object] = Counter()
    for (_, day), amount in history.summary.spend.items():
        totals[day] += amount  # type: ignore[assignment] # a Counter of Decimal
    spike = totals.pop(history.summary.spike_day)

    assert spike > 2 * max(totals.values())
    prompts = [
        record.input_tokens or 0
        for record in history.records
        if record.feature == SPIKE_FEATURE and record.started_at.date() == history.summary.spike_day
    ]
    assert 0.2 < sum(tokens >= 60_000 for tokens in prompts) / len(prompts) < 0.5


def test_one_day_shows_a_burst_of_refusals(history: History) -> None:
    """On the burst day one service was refused many times more often than on the others."""
    refusals = Counter(
        record.started_at.date()
        for record in history.records
        if record.service == BURST_SERVICE and record.error_class == "rate_limit"
    )

    assert refusals.pop(history.summary.burst_day) > 4 * max(refusals.values())


def test_the_same_seed_makes_the_same_history(tmp_path: Path) -> None:
    """Two runs with the same seed and `now` write the same records."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()

    assert write(one, days=1).records == write(other, days=1).records


def test_spend_is_what_the_price_list_says(history: History) -> None:
    """The spend of a team and a day is the exact sum of the list costs of its requests."""
    day = history.summary.today - timedelta(days=1)
    spent = Decimal(0)
    for record in history.records:
        if (record.team, record.started_at.date(), record.outcome) == ("catalog", day, "completed"):
            usage = Usage(
                input_tokens=record.input_tokens,
                cache_read_tokens=record.cache_read_input_tokens,
                cache_write_tokens=record.cache_creation_input_tokens,
                output_tokens=record.output_tokens,
            )
            spent += calc_price(
                usage,
                model_ref=record.response_model or "",
                provider_id="openai",
                genai_request_timestamp=record.started_at,
                price_context={"service_tier": record.service_tier} if record.service_tier else None,
            ).total_price

    assert spent > 0
    assert history.summary.spend["catalog", day] == spent


def test_daily_budget_stands_below_its_threshold(history: History) -> None:
    """The daily budget is spent to 70 to 79 %, and what a live minute adds takes it above 80 %."""
    budget = budgets_for(history.summary)[0]
    spent = history.summary.spent(budget.scope["team"], since=history.summary.today)

    assert budget.period == "day"
    assert Decimal("0.70") <= spent / budget.amount <= Decimal("0.795")


def test_monthly_budgets_are_partly_spent(history: History) -> None:
    """One monthly budget stands at about 60 %, the other at about 85 %."""
    first = history.summary.today.replace(day=1)
    shares = [
        history.summary.spent(budget.scope["team"], since=first) / budget.amount
        for budget in budgets_for(history.summary)
        if budget.period == "month"
    ]

    assert [abs(share - near) < Decimal("0.02") for share, near in zip(shares, _NEAR, strict=True)] == [True, True]


@pytest.mark.parametrize("now", [datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 1, 0, 0, 1, tzinfo=UTC)])
def test_budgets_are_positive_even_when_nothing_is_spent_yet(tmp_path: Path, now: datetime) -> None:
    """At the first moment of a month there is no spend, but every budget has an amount."""
    summary = write(tmp_path, now=now, days=0).summary

    assert all(budget.amount > 0 for budget in budgets_for(summary))
