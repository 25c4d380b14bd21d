"""What attempts that came to nothing cost in time, tokens and money; and how fast answers flow."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.ledger.retry_queries import (
    RetriedCalls,
    Wasted,
    retried_calls,
    worst_retried_calls,
)
from monitor.ledger.speed_queries import output_rates
from monitor.records import Record
from tests.factories import NOW, make_failure, make_record, make_usage
from tests.world import ALWAYS, World, span

_HOUR = timedelta(hours=1)
_REFUSED: dict[str, Any] = {"duration": 0.25, "error_reason": "tokens"}


def _call(
    *failures: dict[str, Any], at: float = 0, gap: float = 2, is_answered: bool = True, **facts: Any
) -> list[Record]:
    """A call's attempts: these failures, each followed by a wait, and an answer at the end."""
    first = make_record()
    moment = NOW + timedelta(seconds=at)
    records = []
    for attempt, failure in enumerate(failures):
        common = {"call_id": first.call_id, "attempt": attempt, "started_at": moment, "response_model": None}
        records.append(make_failure(**(facts | _REFUSED | failure | common)))
        moment += timedelta(seconds=(records[-1].duration or 0) + gap)
    if is_answered:
        last = {"call_id": first.call_id, "attempt": len(failures), "started_at": moment, "duration": 9.0}
        records.append(make_record(**(facts | last)))
    return records


def test_retried_calls_are_summed_up(world: World) -> None:
    """How many, how they ended, what was lost; calls of one attempt are not among them."""
    overloaded = {"error_class": "overloaded", "error_reason": None, "duration": 1.0}
    world.store(
        *_call({}),
        *_call({}, {}, overloaded),
        *_call({}, overloaded, is_answered=False),
        make_record(),
        make_failure(),
    )

    assert retried_calls(world.ledger, ALWAYS) == RetriedCalls(
        calls=3,
        succeeded=2,
        wasted=(
            Wasted(error_class="rate_limit", error_reason="tokens", attempts=4),
            Wasted(error_class="overloaded", error_reason=None, attempts=2),
        ),
        failed_seconds=3.0,
        waited_seconds=10.0,
        failed_input_tokens=None,
        failed_output_tokens=None,
        failed_list_cost=None,
    )


def test_failed_attempts_can_cost_money(world: World) -> None:
    """A stream that broke was charged as far as it came."""
    broken = make_record(outcome="interrupted", error_class="connection", usage_source="estimated")
    world.store(broken, make_record(call_id=broken.call_id, attempt=1, started_at=NOW + timedelta(seconds=2)))
    found = retried_calls(world.ledger, ALWAYS)

    assert (found.failed_input_tokens, found.failed_output_tokens) == (1_000, 100)
    assert found.failed_list_cost == Decimal("0.0035")


def test_a_call_belongs_to_the_slice_in_which_it_began(world: World) -> None:
    """With all its attempts, though they go on after the end; one that began before is not in it."""
    world.store(*_call({}, {}, at=3_599, team="search"), *_call({}, {}, at=-1), *_call({}, at=3_600))

    assert (found := retried_calls(world.ledger, span(NOW, _HOUR))).calls == 1
    assert (found.wasted[0].attempts, found.succeeded) == (2, 1)


@pytest.mark.parametrize(
    ("conditions", "calls"),
    [({"team": "search"}, 1), ({"team": "ads"}, 0), ({"error_class": "rate_limit"}, 1), ({"model": "gpt-4o"}, 1)],
)
def test_a_call_is_meant_when_one_of_its_requests_is(world: World, conditions: dict[str, str], calls: int) -> None:
    """Only the failed ones have an error, only the last one has the answering model; all are told of."""
    world.store(*_call({}, {}, team="search"))
    found = retried_calls(world.ledger, span(ALWAYS.start, ALWAYS.end, **conditions))

    assert (found.calls, sum(group.attempts for group in found.wasted)) == (calls, 2 * calls)


def test_no_retries_are_no_calls(world: World) -> None:
    """And nothing was lost."""
    found = retried_calls(world.ledger, ALWAYS)

    assert (found.calls, found.succeeded, found.wasted, found.failed_seconds, found.waited_seconds) == (0, 0, (), 0, 0)


def test_the_worst_calls_come_first(world: World) -> None:
    """Those that lost the most time, in failed attempts or in waiting."""
    patient = _call({}, gap=60, call_site="patient.py:1")
    slow = _call({"duration": 30.0}, {"error_class": "timeout"}, gap=1, is_answered=False, call_site="slow.py:1")
    world.store(*_call({}), *patient, *slow)
    first, second = worst_retried_calls(world.ledger, ALWAYS, limit=2)

    assert [first.call_id, second.call_id] == [patient[0].call_id, slow[0].call_id]
    assert (first.call_site, first.started_at, first.attempts, first.has_succeeded, first.model) == (
        "patient.py:1",
        NOW,
        2,
        True,
        "gpt-4o-2024-08-06",
    )
    assert (second.has_succeeded, second.error_classes) == (False, ("rate_limit", "timeout"))
    assert (second.failed_seconds, second.waited_seconds) == (30.25, 1.0)


def test_the_rate_of_output_is_that_after_the_first_chunk(world: World) -> None:
    """Of whole streams with stated usage, by model."""
    stream: dict[str, Any] = {"is_streaming": True, "duration": 3.0, "time_to_first_chunk": 1.0}
    world.store(
        *(make_record(usage=make_usage(output_tokens=100 * i), **stream) for i in range(1, 4)),
        make_record(response_model="o3", usage=make_usage(output_tokens=20), **stream),
        make_record(outcome="interrupted", usage=make_usage(output_tokens=9), **stream),
        make_record(usage_source="estimated", usage=make_usage(output_tokens=9), **stream),
        make_record(usage=make_usage(output_tokens=9), **(stream | {"time_to_first_chunk": 3.0})),
        make_record(usage=make_usage(output_tokens=9), duration=3.0),
    )

    whole, single = output_rates(world.ledger, ALWAYS)

    assert (whole.model, whole.streams, single.model, single.streams) == ("gpt-4o-2024-08-06", 3, "o3", 1)
    assert [whole.p50, whole.p95, single.p50, single.p95] == pytest.approx([100, 100, 10, 10], rel=0.02)
    assert output_rates(world.ledger, span(NOW - _HOUR, _HOUR)) == []
