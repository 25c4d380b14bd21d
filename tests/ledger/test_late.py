"""Usage that comes late counts once, with the request that began the work where that is known."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.ledger import queries
from monitor.ledger.compact import compact_rollup
from monitor.records import Record, Usage
from tests.factories import NOW, make_record, make_usage
from tests.ledger.work_records import begun, polled, unfinished
from tests.world import ALWAYS, World

_COST = Decimal("0.003500000000000000")


def _said(world: World, *records: Record) -> list[tuple[str, str, Decimal | None]]:
    """Source of the usage, pricing state and cost of these records."""
    rows = [world.one(record) for record in records]
    return [(row["usage_source"], row["pricing_state"], row["list_cost"]) for row in rows]


_PENDING = ("none", "pending", None)
_COUNTED = ("response", "priced", _COST)
_REPEATED = ("repeated", "repeated", None)


def _store(world: World, groups: tuple[tuple[Record, ...], ...]) -> None:
    for group in groups:
        world.store(*group)


def test_work_that_has_only_begun_is_pending(world: World) -> None:
    """It is neither free nor a request whose cost is not known."""
    start = begun()
    world.store(start, unfinished())
    found = queries.totals(world.ledger, ALWAYS)

    assert _said(world, start) == [_PENDING]
    assert (found.unpriced_requests, found.list_cost, found.input_tokens) == (0, None, None)
    assert queries.unpriced_models(world.ledger, ALWAYS) == []


@pytest.mark.parametrize("is_together", [True, False])
def test_the_usage_goes_to_the_request_that_began_the_work(world: World, is_together: bool) -> None:
    """With its tags and its time; later polls change nothing."""
    start, poll, again = begun(), polled(), polled(after=90)
    _store(world, ((start, poll, again),) if is_together else ((start,), (poll,), (again,)))
    row = world.one(start)

    assert _said(world, start, poll, again) == [_COUNTED, _REPEATED, _REPEATED]
    assert (row["answer_status"], row["service_tier"], row["input_tokens"], row["team"]) == (
        "completed",
        "default",
        1_000,
        "search",
    )
    assert [(g.value, g.totals.list_cost) for g in queries.by_dimension(world.ledger, ALWAYS, "team")] == [
        ("search", _COST),
        ("polling", None),
    ]


def test_the_price_is_that_of_the_day_on_which_the_work_began(world: World) -> None:
    """Not that of the poll; the tier is the one that answered."""
    start = begun(started_at=NOW - timedelta(days=3), response_model="o3", request_model="o3")
    poll = polled(service_tier="flex", response_model="o3")
    world.store(start)
    world.store(poll)
    plain = world.cost(make_record(response_model="o3", service_tier="flex", started_at=start.started_at))

    assert plain is not None
    assert world.one(start)["list_cost"] == plain


def test_an_answer_that_came_before_the_beginning_is_known_is_moved(world: World) -> None:
    """Another program's spool may be read later: then the cost goes to where it belongs."""
    poll, start = polled(), begun()
    world.store(poll)
    before = _said(world, poll)
    world.store(start)
    world.store(later := polled(after=90))

    assert before == [_COUNTED]
    assert _said(world, start, poll, later) == [_COUNTED, _REPEATED, _REPEATED]
    assert queries.totals(world.ledger, ALWAYS).list_cost == _COST


@pytest.mark.parametrize("is_first", [True, False])
def test_a_request_that_knows_its_usage_keeps_it(world: World, is_first: bool) -> None:
    """A stream in the background that was read to its end, and polled too."""
    start = begun(usage=make_usage(), usage_source="response", answer_status="completed")
    poll = polled(usage=make_usage(input_tokens=7))
    _store(world, ((start,), (poll,)) if is_first else ((poll,), (start,)))

    assert _said(world, start, poll) == [_COUNTED, _REPEATED]
    assert queries.totals(world.ledger, ALWAYS).input_tokens == 1_000


def test_an_unknown_beginning_leaves_the_first_answer_to_count(world: World) -> None:
    """Once, whichever of them is drained first in its batch."""
    late, early = polled(after=90), polled(after=60)
    world.store(late, early)
    world.store(again := polled(after=10))

    assert _said(world, late, early, again) == [_REPEATED, _COUNTED, _REPEATED]


def test_the_same_id_at_another_provider_is_other_work(world: World) -> None:
    """Ids are only the provider's own."""
    start, poll = begun(), polled(provider_name="azure")
    world.store(start, poll)

    assert _said(world, start, poll) == [_PENDING, _COUNTED]


@pytest.mark.parametrize("endpoint", ["/responses/{id}", "/responses/{id}/cancel", "/chat/completions/{id}"])
def test_an_estimate_gives_way_to_what_is_stated(world: World, endpoint: str) -> None:
    """A broken stream was estimated; reading the stored answer again tells the truth, and never counts by itself."""
    stream = make_record(
        response_id="id_1",
        outcome="interrupted",
        usage_source="estimated",
        usage=make_usage(input_tokens=900, output_tokens=7, reasoning_output_tokens=3),
    )
    world.store(stream)
    before = queries.totals(world.ledger, ALWAYS)
    reading = polled("id_1", endpoint=endpoint, usage_source="repeated")
    world.store(reading)
    after = queries.totals(world.ledger, ALWAYS)
    row = world.one(stream)

    assert _said(world, stream, reading) == [_COUNTED, _REPEATED]
    assert (row["outcome"], row["output_tokens"], row["reasoning_output_tokens"]) == ("interrupted", 100, None)
    assert (before.estimated_requests, before.estimated_list_cost) == (1, before.list_cost)
    assert (after.estimated_requests, after.estimated_list_cost, after.list_cost) == (0, None, _COST)


def test_repeated_usage_of_an_unknown_request_counts_nowhere(world: World) -> None:
    """It was no work in the background, so somebody was charged who is not watched."""
    reading = polled(usage_source="repeated")
    world.store(reading)

    assert _said(world, reading) == [_REPEATED]
    assert world.value("select count(*) from counted_usages") == 0


def test_lists_and_steps_settle_nothing(world: World) -> None:
    """They state parts."""
    stream = make_record(response_id="run_1", outcome="interrupted", usage_source="estimated")
    world.store(stream)
    world.store(polled("run_1", usage_source="repeated", endpoint="/threads/{id}/runs/{id}/steps/{id}"))

    assert world.one(stream)["usage_source"] == "estimated"


@pytest.mark.parametrize(
    ("status", "state"), [("failed", "free"), ("cancelled", "no_usage"), ("expired", "no_usage"), ("queued", "pending")]
)
def test_work_that_ended_without_usage_is_not_pending(world: World, status: str, state: str) -> None:
    """A poll or a cancellation says how it ended; usage that comes after all is still taken."""
    start = begun()
    world.store(start)
    world.store(unfinished(answer_status=status, outcome="failed" if status == "failed" else "completed"))
    before = _said(world, start)
    world.store(polled())

    assert before == [("none", state, None)]
    assert _said(world, start) == [_COUNTED]


def test_what_is_stated_before_the_end_does_not_count(world: World) -> None:
    """Figures of work that goes on may still change."""
    start, early = begun(), polled(after=5, usage=make_usage(input_tokens=0), answer_status="in_progress")
    world.store(start)
    world.store(early)
    before = _said(world, start, early)
    world.store(polled())

    assert before == [_PENDING, _REPEATED]
    assert (_said(world, start), queries.totals(world.ledger, ALWAYS).input_tokens) == ([_COUNTED], 1_000)


def test_how_work_ended_is_told_by_the_answer_that_knows(world: World) -> None:
    """Not by an earlier one of the same batch."""
    start, early = begun(), polled(after=5, answer_status="in_progress")
    world.store(start, early, unfinished(after=9, answer_status="cancelled"))

    assert (_said(world, start), world.one(start)["answer_status"]) == ([("none", "no_usage", None)], "cancelled")


def test_a_turn_of_an_agent_counts_where_it_is_first_told(world: World) -> None:
    """Nothing began it but the session itself."""
    turns = [polled("turn_1", after=10.0 * i, endpoint="/agents/sessions/{id}/turns/{id}") for i in range(2)]
    for turn in turns:
        world.store(turn)

    assert _said(world, *turns) == [_COUNTED, _REPEATED]


def test_listening_in_on_a_session_is_not_paid_twice(world: World) -> None:
    """Whichever of the two sockets is closed first."""
    facts: dict[str, Any] = {"usage": Usage(audio_seconds=12.5), "answer_status": None, "request_model": "whisper-1"}
    own = begun("live_1", endpoint="/live/sessions", method="GET", usage_source="response", **facts)
    listening = polled("live_1", endpoint="/live/sessions/{id}/attach", is_billable=True, **facts)
    for record in (listening, own):
        world.store(record)

    assert [source for source, _, _ in _said(world, own, listening)] == ["response", "repeated"]


def test_an_answer_that_states_no_usage_is_none(world: World) -> None:
    """Though it was called late: no row of the ledger keeps that word."""
    empty, nameless = polled("resp_2", usage=Usage()), polled(response_id=None)
    world.store(empty, nameless)

    assert _said(world, empty, nameless) == [("none", "free", None), _REPEATED]


@pytest.mark.parametrize(("days", "is_found"), [(0.5, True), (30, True), (40, False)])
def test_beginnings_are_looked_for_as_long_as_answers_can_be_read(world: World, days: float, is_found: bool) -> None:
    """What is older is not looked for; the answer then counts where it was read."""
    start = begun()
    poll = polled(after=days * 86_400)
    world.store(start)
    world.store(poll)
    world.store(polled(after=days * 86_400 + 5))

    assert _said(world, start, poll) == ([_COUNTED, _REPEATED] if is_found else [_PENDING, _COUNTED])
    assert queries.totals(world.ledger, ALWAYS).list_cost == _COST


def test_work_that_was_counted_stays_counted(world: World) -> None:
    """However much later it is read again."""
    world.store(begun(), polled())
    world.store(again := polled(after=400 * 86_400))

    assert _said(world, again) == [_REPEATED]


_WORKS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("/threads/{id}/runs", "run_1", "/threads/{id}/runs/{id}", {}),
    ("/fine_tuning/jobs", "ftjob-1", "/fine_tuning/jobs/{id}", {"usage": Usage(trained_tokens=5_000)}),
    ("/videos", "video_1", "/videos/{id}", {"usage": Usage(video_seconds=8.0)}),
    ("/evals/{id}/runs", "evalrun_1", "/evals/{id}/runs/{id}", {}),
]


@pytest.mark.parametrize("work", _WORKS, ids=lambda work: work[1])
@pytest.mark.parametrize("is_billable", [True, False])
def test_all_kinds_of_work_are_settled(
    world: World, work: tuple[str, str, str, dict[str, Any]], is_billable: bool
) -> None:
    """Whether or not their beginning is known to cost money."""
    endpoint, name, reading, said = work
    start = begun(name, endpoint=endpoint, is_billable=is_billable, answer_status="running")
    poll = polled(name, endpoint=reading, **said)
    world.store(start)
    before = world.one(start)["pricing_state"]
    world.store(poll)
    row = world.one(start)

    assert (before, row["usage_source"], world.one(poll)["usage_source"]) == ("pending", "response", "repeated")
    # A model that writes has no price for seconds of video.
    assert row["pricing_state"] == ("unpriced" if name == "video_1" else "priced")


def test_only_work_that_can_go_on_is_pending(world: World) -> None:
    """A stream in the background can be left and taken up again; an upload in progress costs nothing."""
    left = begun(outcome="interrupted", answer_status="in_progress", is_streaming=True)
    broken = begun("resp_2", outcome="interrupted", answer_status=None, is_streaming=True)
    refused = begun("resp_3", outcome="failed", error_class="server")
    upload = make_record(usage=Usage(), usage_source="none", is_billable=False, answer_status="in_progress")
    world.store(left, broken, refused, upload)

    assert [state for _, state, _ in _said(world, left, broken, refused, upload)] == [
        "pending",
        "no_usage",
        "free",
        "free",
    ]


def test_what_the_request_said_stays_beside_what_is_stated_late(world: World) -> None:
    """A poll does not know the request's body."""
    start = begun(container_memory="4g", tool_model="gpt-image-1", video_seconds=8.0)
    world.store(start)
    world.store(polled(tool_calls={"web_search": 2}, response_model="o3"))
    row = world.one(start)

    assert (row["container_memory"], row["tool_model"], row["video_seconds"]) == ("4g", "gpt-image-1", 8.0)
    assert (row["tool_calls"], row["response_model"]) == ({"web_search": 2}, "gpt-4o-2024-08-06")


def test_a_correction_leaves_no_trace_in_the_rollup(world: World) -> None:
    """After the compaction there are the rows of the hour as if the usage had come at once."""
    start = begun(duration=2.0, response_model=None)
    other = make_record(duration=8.0, response_model=None, team="search", service_tier="auto")
    world.store(start, other, make_record(duration=8.0))
    compact_rollup(world.ledger)
    world.store(polled(duration=0.5))
    before = (queries.by_dimension(world.ledger, ALWAYS, "model"), queries.durations(world.ledger, ALWAYS))
    compact_rollup(world.ledger)
    after = (queries.by_dimension(world.ledger, ALWAYS, "model"), queries.durations(world.ledger, ALWAYS))

    assert before == after
    assert [(group.value, group.totals.requests) for group in after[0]] == [
        ("gpt-4o-2024-08-06", 3),
        ("gpt-4o", 1),
    ]
    assert world.value("select count(*) from usage_hourly where requests <= 0") == 0
    assert world.rows("select durations from speeds_hourly where model = 'gpt-4o'") == [(1,)]
