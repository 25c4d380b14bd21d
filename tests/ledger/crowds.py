"""Many random records, and the answers about them worked out by hand."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from monitor.ledger.queries import Totals
from monitor.records import Record
from tests.factories import make_failure, make_record, make_usage
from tests.world import World

START = datetime(2026, 11, 19, 22, 30, tzinfo=UTC)
_crowds = itertools.count(1)
_CHANGES: dict[str, dict[str, Any]] = {
    "retry": {"attempt": 1},
    "interrupted": {"outcome": "interrupted", "usage_source": "estimated", "time_to_first_chunk": 0.5},
    "repeated": {"usage_source": "repeated"},
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Records that have a service of their own, so that they can be told from all others in a ledger."""

    service: str
    records: tuple[Record, ...]


def _record(service: str, fact: tuple[int, str, str, str | None, float | None]) -> Record:
    seconds, kind, model, team, duration = fact
    facts: dict[str, Any] = {
        "service": service,
        "started_at": START + timedelta(seconds=seconds),
        "team": team,
        "duration": duration,
        "response_model": model,
    }
    if kind == "failed":
        return make_failure(**facts)
    if kind == "impossible":
        return make_record(usage=make_usage(cache_read_input_tokens=2_000), **facts)
    usage = make_usage(
        input_tokens=seconds, output_tokens=None if seconds % 7 == 0 else 10, cache_read_input_tokens=seconds // 3
    )
    return make_record(usage=usage, **facts, **_CHANGES.get(kind, {}))


def _crowd(facts: Sequence[tuple[int, str, str, str | None, float | None]]) -> Crowd:
    service = f"crowd {next(_crowds)}"
    return Crowd(service, tuple(_record(service, fact) for fact in facts))


_FACTS = st.tuples(
    st.integers(min_value=0, max_value=5 * 3600),
    st.sampled_from(["completed", "failed", "impossible", "retry", "interrupted", "repeated"]),
    st.sampled_from(["gpt-4o", "o3", "gpt-99"]),
    st.sampled_from([None, "", "search", "ads"]),
    st.one_of(st.none(), st.floats(min_value=0.001, max_value=600)),
)

crowds = st.lists(_FACTS, min_size=1, max_size=40).map(_crowd)


def store_in_pieces(world: World, crowd: Crowd, between: Callable[[], object]) -> None:
    """Two drains, with something done after each."""
    for i in range(2):
        world.store(*crowd.records[i::2])
        between()


def totals_of(world: World, records: Iterable[Record]) -> Totals:
    """The totals of these records, one by one from their rows."""
    found = list(records)
    rows = {row[0].hex: row[1:] for row in world.rows("select record_id, pricing_state, list_cost from requests")}
    counted = [record for record in found if rows[record.record_id][0] != "repeated"]

    def tokens(name: str) -> int | None:
        known = [value for record in counted if (value := getattr(record, name)) is not None]
        return sum(known) if known else None

    def known(costs: Iterable[Decimal | None]) -> Decimal | None:
        stated = [cost for cost in costs if cost is not None]
        return sum(stated, Decimal(0)) if stated else None

    return Totals(
        requests=len(found),
        calls=sum(record.attempt == 0 for record in found),
        errors=sum(record.error_class is not None for record in found),
        interrupted_requests=sum(record.outcome == "interrupted" for record in found),
        unknown_requests=0,
        unpriced_requests=sum(rows[record.record_id][0] in ("unpriced", "impossible") for record in found),
        estimated_requests=sum(record.usage_source == "estimated" for record in found),
        input_tokens=tokens("input_tokens"),
        output_tokens=tokens("output_tokens"),
        cache_read_input_tokens=tokens("cache_read_input_tokens"),
        cache_creation_input_tokens=tokens("cache_creation_input_tokens"),
        reasoning_output_tokens=tokens("reasoning_output_tokens"),
        list_cost=known(rows[record.record_id][1] for record in found),
        contracted_cost=known(rows[record.record_id][1] for record in found),
        estimated_list_cost=known(rows[r.record_id][1] for r in found if r.usage_source == "estimated"),
    )
