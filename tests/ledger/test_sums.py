"""Rollup, requests and report say the same, whatever was stored, however it came and whatever was compacted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.api import Question, report
from monitor.budgets.model import Matcher
from monitor.errors import LedgerError
from monitor.ledger import queries
from monitor.ledger.compact import compact_rollup
from monitor.ledger.measures import USAGE
from monitor.ledger.queries import Totals
from monitor.ledger.retire import compact_positions
from monitor.ledger.steps import ALL_AT_ONCE
from monitor.ledger.usage import parts_of
from monitor.records import DIMENSIONS, Record
from tests.factories import make_failure, make_record, make_usage
from tests.ledger.crowds import START, Crowd, crowds, store_in_pieces, totals_of
from tests.world import ALWAYS, World, span

_quick = settings(max_examples=5, deadline=None)


def _compacting(world: World) -> Callable[[], object]:
    def compact() -> None:
        compact_rollup(world.ledger)
        compact_positions(world.ledger)

    return compact


def _values(group_by: str, record: Record) -> str | None:
    found: str | None = (
        record.response_model or record.request_model if group_by == "model" else getattr(record, group_by)
    )
    return found


@_quick
@given(crowd=crowds, is_compacted=st.booleans())
def test_totals_are_those_of_the_requests(shared: World, crowd: Crowd, is_compacted: bool) -> None:
    """The rollup loses nothing and counts nothing twice."""
    store_in_pieces(shared, crowd, _compacting(shared) if is_compacted else bool)

    assert queries.totals(shared.ledger, span(ALWAYS.start, ALWAYS.end, service=crowd.service)) == totals_of(
        shared, crowd.records
    )


@_quick
@given(crowd=crowds, dimension=st.sampled_from(["model", "team", "error_class"]))
def test_groups_are_those_of_the_requests(shared: World, crowd: Crowd, dimension: str) -> None:
    """Each value of a dimension once, one that is missing and one that is empty among them."""
    shared.store(*crowd.records)
    groups = queries.by_dimension(shared.ledger, span(ALWAYS.start, ALWAYS.end, service=crowd.service), dimension)
    values = {_values(dimension, record) for record in crowd.records}

    assert {group.value: group.totals for group in groups} == {
        value: totals_of(shared, (r for r in crowd.records if _values(dimension, r) == value)) for value in values
    }
    assert len(groups) == len(values)


@_quick
@given(
    crowd=crowds,
    begin=st.integers(min_value=-600, max_value=5 * 3600),
    length=st.integers(min_value=0, max_value=6 * 3600),
)
def test_a_slice_that_cuts_hours_is_exact(shared: World, crowd: Crowd, begin: int, length: int) -> None:
    """What began at its start is inside, what began at its end is not."""
    shared.store(*crowd.records)
    start = START + timedelta(seconds=begin)
    end = start + timedelta(seconds=length)

    assert queries.totals(shared.ledger, span(start, end, service=crowd.service)) == totals_of(
        shared, (record for record in crowd.records if start <= record.started_at < end)
    )


@_quick
@given(crowd=crowds)
def test_the_report_adds_up(shared: World, crowd: Crowd) -> None:
    """Its rows come to its total, and that to the requests."""
    shared.store(*crowd.records)
    matchers = (Matcher(dimension="service", values=(crowd.service,)),)
    answer = report(shared.ledger, Question(by="team", start=ALWAYS.start, end=ALWAYS.end, matchers=matchers))
    expected = totals_of(shared, crowd.records)

    assert sum(row["requests"] for row in answer["rows"]) == answer["total"]["requests"] == expected.requests
    assert sum(row["input_tokens"] or 0 for row in answer["rows"]) == (answer["total"]["input_tokens"] or 0)
    assert (answer["total"]["unpriced_requests"], answer["total"]["errors"]) == (
        expected.unpriced_requests,
        expected.errors,
    )


@_quick
@given(crowd=crowds)
def test_compaction_changes_no_answer(shared: World, crowd: Crowd) -> None:
    """Not the sums, not the groups, not the durations."""
    store_in_pieces(shared, crowd, bool)
    chosen = span(ALWAYS.start, ALWAYS.end, service=crowd.service)

    def answers() -> tuple[object, ...]:
        return (
            queries.totals(shared.ledger, chosen),
            [queries.by_dimension(shared.ledger, chosen, name) for name in ("model", "team")],
            queries.durations(shared.ledger, chosen),
            queries.series(shared.ledger, chosen, step="hour", time_zone="UTC"),
        )

    before = answers()
    compact_rollup(shared.ledger)

    assert answers() == before
    assert compact_rollup(shared.ledger) == 0


@_quick
@given(crowd=crowds)
def test_quantiles_are_near_the_exact_ones(shared: World, crowd: Crowd) -> None:
    """At most two per cent off."""
    shared.store(*crowd.records)
    found = queries.durations(shared.ledger, span(ALWAYS.start, ALWAYS.end, service=crowd.service))
    exact = sorted(record.duration for record in crowd.records if record.duration is not None)
    expected = [exact[int(q * (len(exact) - 1))] if exact else None for q in (0.5, 0.95, 0.99)]

    assert [found.p50, found.p95, found.p99] == [value and pytest.approx(value, rel=0.0201) for value in expected]


def test_an_empty_slice_has_no_figures(shared: World) -> None:
    """No cost is not a cost of zero."""
    found = queries.totals(shared.ledger, span(ALWAYS.start, ALWAYS.end, service="nobody"))

    assert (found.requests, found.list_cost, found.input_tokens, found.error_rate) == (0, None, None, None)


def test_repeated_usage_counts_nowhere(world: World) -> None:
    """An answer that states again what an earlier request used is a request and nothing else."""
    world.store(make_record(), make_record(usage_source="repeated"))
    found = queries.totals(world.ledger, ALWAYS)

    assert (found.requests, found.input_tokens, found.unpriced_requests) == (2, 1_000, 0)


def test_an_unpriced_request_is_missing_from_the_cost_and_counted(world: World) -> None:
    """Who reads the sum sees that it is not all."""
    world.store(make_record(), make_record(response_model="gpt-99"), make_failure())
    found = queries.totals(world.ledger, ALWAYS)

    assert (str(found.list_cost), found.unpriced_requests, found.errors) == ("0.003500000000000000", 1, 1)


def test_the_dearest_comes_first(world: World) -> None:
    """Then what has no price, by its requests; the limit cuts the end off."""
    world.store(*(make_record(response_model=name) for name in ("gpt-4o-mini", "o1", "gpt-99", "gpt-4o")))
    groups = queries.by_dimension(world.ledger, ALWAYS, "model")

    assert [group.value for group in groups] == ["o1", "gpt-4o", "gpt-4o-mini", "gpt-99"]
    assert queries.by_dimension(world.ledger, ALWAYS, "model", limit=2) == groups[:2]


def test_small_costs_add_up_exactly(world: World) -> None:
    """A thousand times the same is a thousand times as much."""
    world.store(
        *(
            make_record(response_model="gpt-5-nano", usage=make_usage(input_tokens=1, output_tokens=1))
            for _ in range(999)
        )
    )

    assert str(queries.totals(world.ledger, ALWAYS).list_cost) == "0.000449550000000000"


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_dimension_can_be_asked_for(shared: World, dimension: str) -> None:
    """As a split and as a condition."""
    chosen = span(ALWAYS.start, ALWAYS.end, **{dimension: ("x", None)})

    assert queries.totals(shared.ledger, chosen).requests == sum(
        group.totals.requests
        for group in queries.by_dimension(shared.ledger, ALWAYS, dimension)
        if group.value in ("x", None)
    )


def test_an_unknown_dimension_is_refused(shared: World) -> None:
    """Its name never becomes SQL."""
    with pytest.raises(LedgerError, match=r"is not a dimension\. The dimensions are: model,"):
        queries.by_dimension(shared.ledger, ALWAYS, "1; drop table requests")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"team": "search"}, {"search"}),
        ({"team": ("search", "ads")}, {"search", "ads"}),
        ({"team": None}, {None}),
        ({"team": ("search", None)}, {"search", None}),
        ({"team": ()}, set()),
        ({"not_team": "search"}, {"ads", "", None}),
        ({"not_team": None}, {"search", "ads", ""}),
        ({"not_team": ("search", None)}, {"ads", ""}),
        ({"not_team": ()}, {"search", "ads", "", None}),
        ({"team": ""}, {""}),
        ({"team": ("search", "ads"), "not_team": "ads"}, {"search"}),
        ({"team": "search", "model": "nothing"}, set()),
        ({"team": "'; drop table requests"}, set()),
    ],
)
def test_conditions_choose(
    world: World, conditions: dict[str, str | tuple[str | None, ...] | None], expected: set[str | None]
) -> None:
    """None stands for no value; a negated test holds where there is none; all must hold. Whole hours or not."""
    start = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    world.store(
        *(
            make_record(team=team, started_at=start + timedelta(minutes=90 * i))
            for i in (0, 1)
            for team in ("search", "ads", "", None)
        )
    )
    for length in (timedelta(hours=2), timedelta(minutes=100)):
        groups = queries.by_dimension(world.ledger, span(start, length, **conditions), "team")
        assert {group.value: group.totals.requests for group in groups} == dict.fromkeys(expected, 2)


@pytest.mark.parametrize(
    ("start", "end", "needed", "expected"),
    [
        ("20T10:00", "20T12:00", "model", [("hourly_brief", "20T10:00", "20T12:00")]),
        ("20T10:00", "20T12:00", "feature", [("hourly", "20T10:00", "20T12:00")]),
        ("20T10:00", "20T12:00", "user", [("requests", "20T10:00", "20T12:00")]),
        ("20T10:30", "20T11:30", "model", [("requests", "20T10:30", "20T11:30")]),
        (
            "20T22:30",
            "22T01:10",
            "model",
            [
                ("requests", "20T22:30", "20T23:00"),
                ("hourly_brief", "20T23:00", "21T00:00"),
                ("daily", "21T00:00", "22T00:00"),
                ("hourly_brief", "22T00:00", "22T01:00"),
                ("requests", "22T01:00", "22T01:10"),
            ],
        ),
        (
            "20T22:30",
            "22T01:10",
            "user",
            [
                ("requests", "20T22:30", "21T00:00"),
                ("daily_users_brief", "21T00:00", "22T00:00"),
                ("requests", "22T00:00", "22T01:10"),
            ],
        ),
        ("20T10:30", "20T10:30", "model", [("requests", "20T10:30", "20T10:30")]),
    ],
)
def test_a_slice_is_answered_by_the_coarsest_rollup_that_can(
    start: str, end: str, needed: str, expected: list[tuple[str, str, str]]
) -> None:
    """Whole days, then whole hours, then the requests; together they cover it once."""
    first, last = (datetime.fromisoformat(f"2026-11-{text}") for text in (start, end))
    found = parts_of(first, last, {needed}, ALL_AT_ONCE, USAGE)

    assert [
        (
            part.rollup.table.removeprefix("usage_") if part.rollup else "requests",
            f"{part.start:%dT%H:%M}",
            f"{part.end:%dT%H:%M}",
        )
        for part in found
    ] == expected


def test_totals_have_a_rate_of_errors(world: World) -> None:
    """A share of the requests."""
    world.store(make_record(), make_record(), make_record(), make_failure())
    found: Totals = queries.totals(world.ledger, ALWAYS)

    assert found.error_rate == 0.25
