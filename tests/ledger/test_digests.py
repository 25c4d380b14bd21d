"""Digests tell what the requests tell, whatever came late, was corrected or let go of."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.ledger.check import check
from monitor.ledger.digests import digest, digested_until
from monitor.ledger.ledger import Ledger
from monitor.ledger.limit_queries import limit_states
from monitor.ledger.migrate import migrate
from monitor.ledger.retention import forget
from monitor.ledger.retry_queries import retried_calls, worst_retried_calls
from monitor.ledger.scopes import Slice
from monitor.records import Record
from tests.factories import NOW, make_failure, make_id, make_record
from tests.factories_alerts import FakeClock
from tests.ledger.work_records import begun, polled
from tests.world import ALWAYS, World, span

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def _limits(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(["requests", "tokens"])
    other = {"limit-project-tokens": 100.0, "remaining-project-tokens": chance.randrange(20) * 1.0}
    return {
        f"{kind}_limit": chance.choice([10, 20, None]),
        f"{kind}_remaining": chance.choice([0, 0, 1, 5, None]),
        f"{kind}_reset": chance.choice([1.5, None]),
        "other_limits": chance.choice([None, None, other, {"deployment-utilization": chance.randrange(3) * 50.0}]),
        "key_fingerprint": (key := chance.choice(["one", "two", None])),
        "key_hint": key and chance.choice([None, f"k{key}"]),
    }


def _call(chance: random.Random, seconds: float) -> Iterator[Record]:
    """A call of one to three attempts."""
    at = NOW - timedelta(seconds=seconds)
    facts: dict[str, Any] = {
        "call_id": make_id(),
        "request_model": chance.choice(["gpt-4o", "o3"]),
        "team": chance.choice([None, "search", "ads"]),
        "user": chance.choice(["ann", "ben"]),
    }
    answered: dict[str, Any] = {"response_model": chance.choice(["gpt-4o", "o3", None])}
    failures = chance.choice([0, 0, 0, 1, 2])
    for attempt in range(failures):
        reason = chance.choice([None, "tokens", "requests_per_day"])
        yield make_failure(
            **facts, **_limits(chance), attempt=attempt, started_at=at, duration=0.5, error_reason=reason
        )
        at += timedelta(seconds=chance.randrange(1, 2_000))
    if chance.random() < 0.8:
        yield make_record(**facts, **answered, **_limits(chance), attempt=failures, started_at=at, duration=1.0)


def _works(chance: random.Random) -> Iterator[Record]:
    """Responses in the background that end later: what is stored of their beginning is corrected."""
    for number in range(10):
        at = NOW - timedelta(hours=3 * number, seconds=number + 0.001)
        facts: dict[str, Any] = _limits(chance) | {"tokens_limit": 10, "tokens_remaining": 0}
        yield begun(f"work {number}", started_at=at, response_model=None, request_model="gpt-4o", **facts)


def _loads() -> list[list[Record]]:
    """Random calls of two days in three loads, each over all of it, and then what corrects some of them."""
    chance = random.Random(7)
    moments = [chance.random() * 200_000 for _ in range(180)]
    loads = [[one for moment in moments[i::3] for one in _call(chance, moment)] for i in range(3)]
    loads[0] += _works(chance)
    ends = [NOW - timedelta(hours=3 * number, minutes=-5) for number in range(10)]
    last: dict[str, Any] = {"response_model": "gpt-4o-2024-08-06"}
    return [*loads, [polled(f"work {number}", started_at=end, **last) for number, end in enumerate(ends)]]


def _answers(ledger: Ledger, chosen: Slice) -> list[Any]:
    return [
        sorted(map(repr, limit_states(ledger, chosen, limit=1_000))),
        retried_calls(ledger, chosen),
        worst_retried_calls(ledger, chosen, limit=1_000),
    ]


_CONDITIONS: list[dict[str, Any]] = [
    {},
    {"team": "search"},
    {"not_team": ("search", None)},
    {"model": "gpt-4o"},
    {"user": "ann"},
    {"key_fingerprint": (None, "one"), "error_class": "rate_limit"},
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """Two worlds with the same requests: in the first hours were digested again and again, in the other never."""
    with World(tmp_path_factory.mktemp("digested")) as digested, World(tmp_path_factory.mktemp("plain")) as plain:
        for load in _loads():
            digested.store(*load)
            plain.store(*load)
            digest(digested.ledger)
        yield digested, plain


@pytest.mark.parametrize("conditions", _CONDITIONS, ids=str)
def test_digests_answer_as_the_requests_do(both: tuple[World, World], conditions: dict[str, Any]) -> None:
    """Whole days, and slices that begin and end within minutes; with conditions that digests know and do not know."""
    digested, plain = both
    for back, length in ((3 * _DAY, 4 * _DAY), (2 * _DAY, timedelta(minutes=1717)), (1.5 * _HOUR, _HOUR)):
        chosen = span(NOW - back + timedelta(minutes=7.5), length, **conditions)
        found, expected = (_answers(world.ledger, chosen) for world in (digested, plain))

        assert digested_until(digested.ledger, chosen) > digested_until(plain.ledger, chosen)
        assert found == expected


def test_an_hour_is_digested_when_it_is_over_and_again_when_it_changes(world: World) -> None:
    """Until then its requests answer; what is digested is not made again."""
    failed = make_failure(started_at=NOW - 2 * _HOUR, tokens_limit=10, tokens_remaining=1)
    world.store(failed, make_record(started_at=NOW, tokens_limit=10, tokens_remaining=9))
    counts = [digest(world.ledger), digest(world.ledger)]
    until = digested_until(world.ledger, ALWAYS)
    world.store(make_failure(started_at=NOW - 2 * _HOUR, tokens_limit=10, tokens_remaining=0))
    changed_until = digested_until(world.ledger, ALWAYS)
    (state,) = limit_states(world.ledger, ALWAYS, limit=9)
    counts.append(digest(world.ledger))

    assert counts == [1, 0, 1]
    assert (until, changed_until) == (NOW, NOW - 2 * _HOUR)
    assert (state.answers, state.lowest_share) == (3, 0.0)
    assert limit_states(world.ledger, ALWAYS, limit=9) == [state]


def test_digests_agree_with_the_requests_after_a_check(both: tuple[World, World]) -> None:
    """And the check finds a digest that somebody changed."""
    digested, _ = both
    assert check(digested.ledger).faults == ()
    with digested.ledger.writing() as cursor:
        cursor.execute("update limits_hourly set refused = refused + 1")
    whats = {fault.what for fault in check(digested.ledger).faults}
    with digested.ledger.writing() as cursor:
        cursor.execute("update limits_hourly set refused = refused - 1")

    assert "limits_hourly.refused" in whats


def test_digests_of_limits_outlive_their_requests(world: World) -> None:
    """As sums do; attempts go with their requests, and a line that comes later does not undo what is known."""
    old: dict[str, Any] = {"started_at": NOW - 100 * _DAY, "tokens_limit": 10, "tokens_remaining": 1}
    world.store(make_failure(**old), make_record(tokens_limit=5))
    digest(world.ledger)
    forget(world.ledger, requests=50 * _DAY, rollup=None, pieces=_DAY)
    world.store(make_record(**old))
    digest(world.ledger)
    (state,) = limit_states(world.ledger, ALWAYS, limit=9)

    assert (state.answers, state.refused) == (1, 0)
    assert world.value("select count(*) from attempts") == 0


def test_an_older_ledger_answers_the_same_before_and_after_its_digests_are_made(tmp_path: Path) -> None:
    """An upgrade only notes the hours."""
    path = tmp_path / "ledger.duckdb"
    migrate(path, to="0006")
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            insert into requests by name
            select uuid() as record_id, uuid() as call_id, 0 as attempt, 1.0 as duration, 'openai' as provider_name,
                timestamp '2026-11-20 10:00:00' + i * interval 7 minute as started_at, 'chat' as operation_name,
                '/chat/completions' as endpoint, 'POST' as method, 'gpt-4o' as request_model, 'gpt-4o' as model,
                false as is_streaming, false as is_batch, true as is_billable, 'none' as usage_source,
                'free' as pricing_state, case when i % 10 = 0 then 'failed' else 'completed' end as outcome,
                100 as tokens_limit, i as tokens_remaining
            from range(100) t(i)
            """
        )
    with Ledger.open(path, clock=FakeClock(NOW + _DAY)) as ledger:
        before = limit_states(ledger, ALWAYS, limit=9)
        digested = digest(ledger)
        after = limit_states(ledger, ALWAYS, limit=9)
        with ledger.cursor() as cursor:
            attempts = cursor.execute("select count(*) from attempts").fetchone()

    assert digested > 10
    assert before == after
    assert [(state.answers, state.remaining, state.lowest_share) for state in after] == [(100, 99, 0.0)]
    assert attempts == (10,)
