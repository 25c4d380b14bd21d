"""Lines of batches count once, however often their file is read, and instead of the sum that the batch states."""

from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.ledger import queries
from monitor.ledger.compact import compact_rollup
from monitor.records import Record, Usage
from tests.factories import NOW, make_usage
from tests.ledger.work_records import batch_begun, batch_polled, failed_line, line, unfinished
from tests.world import ALWAYS, World

_LINE_COST = Decimal("0.001750000000000000")
_SUM = make_usage(input_tokens=2_000, output_tokens=200)


def _states(world: World, *records: Record) -> list[tuple[str, str]]:
    rows = [world.one(record) for record in records]
    return [(row["usage_source"], row["pricing_state"]) for row in rows]


_COUNTED = ("response", "priced")
_REPEATED = ("repeated", "repeated")


def test_a_line_is_counted_at_batch_prices(world: World) -> None:
    """Half of the usual."""
    assert world.cost(line()) == _LINE_COST


@pytest.mark.parametrize("is_together", [True, False])
def test_a_line_that_is_read_twice_counts_once(world: World, is_together: bool) -> None:
    """Wholly or partly, in one drain or two."""
    first, again, other = line(), line(), line("line-2")
    for records in ((first, again, other),) if is_together else ((first,), (again, other)):
        world.store(*records)

    assert _states(world, first, again, other) == [_COUNTED, _REPEATED, _COUNTED]
    assert queries.totals(world.ledger, ALWAYS).list_cost == 2 * _LINE_COST


def test_lines_of_two_files_are_other_lines(world: World) -> None:
    """Names are the program's own, and used again."""
    records = [line(file="file-1"), line(file="file-2"), line(file="file-1", provider_name="azure")]
    world.store(*records)

    assert _states(world, *records) == [_COUNTED] * 3


def test_a_failed_line_is_stored_and_free(world: World) -> None:
    """Seen again it is a repetition like any other."""
    first, again = failed_line(), failed_line()
    world.store(first)
    world.store(again)

    assert _states(world, first, again) == [("none", "free"), _REPEATED]


def test_the_sum_of_a_batch_goes_to_the_request_that_began_it(world: World) -> None:
    """As long as none of its lines was seen; its file is remembered there."""
    start, poll = batch_begun(), batch_polled(usage=_SUM)
    world.store(start, unfinished("batch_1", endpoint="/batches/{id}"))
    before = _states(world, start)
    world.store(poll)

    assert before == [("none", "pending")]
    assert _states(world, start, poll) == [_COUNTED, _REPEATED]
    assert (world.one(start)["file_id"], world.one(start)["list_cost"]) == ("file-out", 2 * _LINE_COST)


@pytest.mark.parametrize("has_beginning", [True, False])
@pytest.mark.parametrize("order", ["sum first", "lines first", "together"])
def test_lines_win_over_the_sum(world: World, has_beginning: bool, order: str) -> None:
    """Whichever is seen first; the sum stays to be read, but does not count."""
    start, poll, lines = batch_begun(), batch_polled(usage=_SUM), [line(), line("line-2")]
    holder = start if has_beginning else poll
    if has_beginning:
        world.store(start)
    groups = {"sum first": [[poll], lines], "lines first": [lines, [poll]], "together": [[poll, *lines]]}
    for group in groups[order]:
        world.store(*group)
        compact_rollup(world.ledger)
    found = queries.totals(world.ledger, ALWAYS)
    row = world.one(holder)

    assert _states(world, holder, poll, *lines) == [_REPEATED, _REPEATED, _COUNTED, _COUNTED]
    assert (row["input_tokens"], row["list_cost"], row["sku_price_id"] is None) == (2_000, None, False)
    assert (found.list_cost, found.input_tokens, found.unpriced_requests) == (2 * _LINE_COST, 2_000, 0)


def test_the_beginning_of_a_batch_that_comes_last(world: World) -> None:
    """It learns what it used, and that its lines have counted it."""
    world.store(batch_polled(usage=_SUM))
    world.store(line())
    world.store(start := batch_begun(started_at=NOW - timedelta(hours=1)))

    assert _states(world, start) == [_REPEATED]
    assert (world.one(start)["input_tokens"], queries.totals(world.ledger, ALWAYS).list_cost) == (2_000, _LINE_COST)


def test_what_a_corrected_group_has_left_is_unknown_again(world: World) -> None:
    """A sum that was taken back is no cost of zero, before and after the compaction."""
    world.store(batch_begun())
    world.store(batch_polled(usage=_SUM))
    world.store(line())
    found = []
    for _ in range(2):
        groups = {group.value: group.totals for group in queries.by_dimension(world.ledger, ALWAYS, "team")}
        found.append((groups["search"].list_cost, groups["search"].input_tokens))
        compact_rollup(world.ledger)

    assert found == [(None, None)] * 2


def test_lines_without_usage_leave_the_sum_alone(world: World) -> None:
    """A file of moderations, or of failures only, tells nothing of what was used."""
    start = batch_begun()
    world.store(start)
    world.store(batch_polled(usage=_SUM))
    world.store(failed_line(), line("line-2", usage=Usage(), usage_source="none", is_billable=False))

    assert _states(world, start) == [_COUNTED]


@pytest.mark.parametrize("status", ["expired", "cancelled"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_batch_that_stopped_without_a_sum_is_known_by_its_lines(world: World, status: str, is_first: bool) -> None:
    """Some of them were done, and are charged."""
    start = batch_begun(is_billable=True)
    end = unfinished("batch_1", endpoint="/batches/{id}", answer_status=status, file_id="file-out", is_batch=True)
    world.store(start)
    for group in ([end], [line()]) if is_first else ([line()], [end]):
        world.store(*group)

    assert _states(world, start) == [_REPEATED]
    assert queries.totals(world.ledger, ALWAYS).unpriced_requests == 0
