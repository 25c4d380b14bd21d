"""In whatever order and batches the drain meets what is said of work, each work counts once, and all sums agree."""

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.ledger.compact import compact_rollup
from monitor.ledger.measures import USAGE
from monitor.ledger.rollup import counted
from monitor.records import DIMENSIONS, Record, Usage
from tests.factories import make_record, make_usage
from tests.ledger.work_records import batch_begun, batch_polled, begun, failed_line, line, polled, unfinished
from tests.world import World

_numbers = itertools.count(1)
_KEYS = ", ".join(f'"{name}"' for name in DIMENSIONS if name != "user")
_WORKS = 12


@dataclass(frozen=True, slots=True)
class Work:
    """What is said of one work.

    `tokens` is what counts of it, in the row of `owner` if that is known beforehand.
    """

    records: list[Record]
    tokens: int
    owner: Record | None = None


def _response(dice: Random, name: str, service: str) -> Work:
    usage = make_usage(input_tokens=dice.randrange(1, 5_000))
    polls = [polled(name, after=10.0 * i, usage=usage, service=service) for i in range(dice.randrange(3))]
    if dice.random() < 0.3:
        cancelled = {"endpoint": "/responses/{id}/cancel", "method": "POST", "answer_status": "cancelled"}
        polls.append(polled(name, after=5, usage=usage, service=service, **cancelled))
    records = [*polls, unfinished(name, after=1, service=service)]
    source = dice.choice(["none", "none", "estimated", "response", None])
    if source is None:
        return Work(records, (usage.input_tokens or 0) if polls else 0)
    stated = {"none": Usage(), "estimated": make_usage(input_tokens=7), "response": usage}[source]
    start = begun(name, usage=stated, usage_source=source, service=service)
    final = (usage if polls else stated).input_tokens
    return Work([*records, start], final or 0, start if final else None)


def _batch(dice: Random, name: str, service: str) -> Work:
    """A batch whose lines may have been read, each of them up to twice, and whose sum may have been asked for."""
    file = f"file-{name}"
    tokens = dice.randrange(1, 5_000)
    names = [f"line-{i}" for i in range(dice.randrange(3))]
    seen = [*names, *(each for each in names if dice.random() < 0.5)]
    lines = [line(each, file=file, usage=make_usage(input_tokens=tokens), service=service) for each in seen]
    failures = [failed_line("bad", file=f"{file}-errors", service=service) for _ in range(dice.randrange(3))]
    total = make_usage(input_tokens=tokens * 100)
    polls = [
        batch_polled(name, file=file, usage=total, after=10.0 * i, service=service) for i in range(dice.randrange(3))
    ]
    start = [batch_begun(name, service=service)] if dice.random() < 0.7 else []
    return Work([*lines, *failures, *polls, *start], tokens * len(names) if names else tokens * 100 if polls else 0)


def _works(dice: Random, service: str) -> list[Work]:
    plain = make_record(service=service, usage=make_usage(input_tokens=1))
    makers = [dice.choice([_response, _batch]) for _ in range(_WORKS)]
    works = [make(dice, f"{service}-{number}", service) for number, make in enumerate(makers)]
    return [Work([plain], 1, plain), *works]


def _groups(dice: Random, works: Sequence[Work]) -> list[list[Record]]:
    """All that is said, shuffled and cut into batches of the drain."""
    records = [record for work in works for record in work.records]
    dice.shuffle(records)
    cuts = sorted(dice.randrange(len(records)) for _ in range(dice.randrange(6)))
    return [records[a:b] for a, b in itertools.pairwise([0, *cuts, len(records)])]


def _rollup(world: World, service: str) -> Sequence[tuple[object, ...]]:
    return world.rows(
        f"select hour, {_KEYS}, {USAGE.added()} from usage_hourly u where service = ? group by all"
        " having sum(u.requests) <> 0 order by all",
        service,
    )


def _from_requests(world: World, service: str) -> Sequence[tuple[object, ...]]:
    dimensions = [name for name in DIMENSIONS if name != "user"]
    rows = counted(USAGE, "(select * from requests where service = ?)", "hour", dimensions)
    names = f"hour, {_KEYS}, {', '.join(USAGE.measures)}"
    return world.rows(f"select {names} from ({rows}) order by all", service)


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**64))
def test_each_work_counts_once_in_any_order(shared: World, seed: int) -> None:
    """And the rollup says what the requests say, to the last decimal, for each hour and all dimensions."""
    dice = Random(seed)
    service = f"story-{next(_numbers)}"
    works = _works(dice, service)
    for group in _groups(dice, works):
        shared.store(*group)
        if dice.random() < 0.3:
            shutil.copy(shared.segments()[0], shared.home.spool / "copy.ndjson")
        if dice.random() < 0.3:
            compact_rollup(shared.ledger)
    counted = {
        record_id.hex: tokens
        for record_id, tokens in shared.rows(
            "select record_id, input_tokens from requests where service = ? and list_cost is not null", service
        )
    }

    assert [sum(counted.get(r.record_id, 0) for r in work.records) for work in works] == [w.tokens for w in works]
    assert {work.owner.record_id for work in works if work.owner} <= counted.keys()
    assert _rollup(shared, service) == _from_requests(shared, service)
    assert shared.value("select count(*) from requests where service = ?", service) == sum(
        len(work.records) for work in works
    )
    assert shared.value("select count(*) from requests where usage_source = 'late'") == 0
