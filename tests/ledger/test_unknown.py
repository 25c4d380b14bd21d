"""Requests that began and have not ended: in flight while their program lives, of unknown outcome when it died."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from monitor.ledger import queries
from monitor.ledger.compact import compact_rollup
from monitor.ledger.error_queries import under_way
from monitor.ledger.ledger import Ledger
from monitor.ledger.request_queries import page_of_requests
from monitor.ledger.retire import compact_positions
from tests.architecture.sources import ROOT
from tests.factories import make_begin, make_record
from tests.world import ALWAYS, World, span


@contextmanager
def _program(world: World) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.ledger.writing_program", str(world.home.spool)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "written\n"
        try:
            yield program
        finally:
            program.kill()


def _kill(program: "subprocess.Popen[str]") -> None:
    program.send_signal(signal.SIGKILL)
    program.wait()


def _state(world: World) -> tuple[int, int, int]:
    """Requests, those of unknown outcome, those in flight."""
    totals = queries.totals(world.ledger, ALWAYS)
    return totals.requests, totals.unknown_requests, under_way(world.ledger).requests


def test_a_request_without_an_end_is_in_flight_while_its_program_lives(world: World) -> None:
    """However often the drain comes by, and however the ledger is compacted."""
    with _program(world):
        for _ in range(2):
            world.drain.run()
            compact_positions(world.ledger)

        assert _state(world) == (1, 0, 2)


def test_a_request_whose_program_was_killed_has_an_unknown_outcome(world: World) -> None:
    """Once, however often the drain comes by."""
    with _program(world) as program:
        world.drain.run()
        _kill(program)
    for _ in range(3):
        world.drain.run()

    assert _state(world) == (3, 2, 0)
    assert world.rows("select count(*), count(distinct record_id) from requests") == [(3, 3)]


def test_a_program_that_was_killed_before_the_drain_came(world: World) -> None:
    """All of it is found at once."""
    with _program(world) as program:
        _kill(program)
    world.drain.run()

    assert _state(world) == (3, 2, 0)


def test_a_request_that_ended_before_its_program_was_killed_is_known(world: World) -> None:
    """Though its begin line was drained long before."""
    with _program(world) as program:
        world.drain.run()
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("end\n")
        program.stdin.flush()
        assert program.stdout.readline() == "ended\n"
        _kill(program)
    world.drain.run()

    assert _state(world) == (3, 1, 0)


def test_what_is_known_of_such_a_request_stands_in_its_row(world: World) -> None:
    """It may have cost money, so it counts as one whose cost is not known."""
    begin = make_begin(team="search", user="u", call_site="app.py:7")
    world.writer.begin(begin)
    world.writer.close()
    world.drain.run()
    (row,) = page_of_requests(world.ledger, span(begin.started_at, ALWAYS.end, team="search"), limit=5).requests

    assert row["record_id"].hex == begin.record_id
    assert (row["outcome"], row["usage_source"], row["pricing_state"], row["model"], row["list_cost"]) == (
        "unknown",
        "none",
        "no_usage",
        "gpt-4o",
        None,
    )
    assert queries.totals(world.ledger, ALWAYS).unpriced_requests == 1


def test_an_unknown_request_that_costs_nothing_is_free(world: World) -> None:
    """Such as a list of models."""
    world.writer.begin(make_begin(is_billable=False))
    world.writer.close()
    world.drain.run()

    assert world.value("select pricing_state from requests") == "free"


def test_a_begin_line_in_a_rotated_segment_waits_for_its_writer(world: World) -> None:
    """The segment has ended, the program has not."""
    writer = world.new_writer(segment_size=1_000)
    first = make_record()
    writer.begin(make_begin(first))
    for _ in range(5):
        writer.end(make_record())
    world.drain.run()
    before = _state(world)
    writer.end(first)
    world.drain.run()

    assert (before, _state(world)) == ((5, 0, 1), (6, 0, 0))


class _Meanwhile(Ledger):
    """Something happens once, when the drain has listed the spool and asks for the positions."""

    act: Callable[[], object] | None = None

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        act, self.act = self.act, None
        if act is not None:
            act()
        with super().cursor() as cursor:
            yield cursor


def test_a_program_that_goes_on_to_its_next_segment_while_the_drain_looks_is_alive(tmp_path: Path) -> None:
    """The drain reads the end of a segment, and had listed the spool before the next one was there."""
    with World(tmp_path, ledger_type=_Meanwhile) as world:
        assert isinstance(world.ledger, _Meanwhile)
        writer = world.new_writer(segment_size=1_000)
        record = make_record()
        writer.begin(make_begin(record))
        world.ledger.act = lambda: writer.end(make_record())
        world.drain.run()
        segments, state = len(world.segments()), _state(world)
        writer.end(record)
        world.drain.run()

        assert (segments, state, _state(world)) == (2, (1, 0, 1), (2, 0, 0))
        assert world.value("select count(*) from usage_hourly where requests < 0") == 0


def test_two_programs_do_not_settle_each_other(world: World) -> None:
    """One dies, the other's request stays in flight."""
    with _program(world) as living, _program(world) as dying:
        world.drain.run()
        _kill(dying)
        world.drain.run()

        assert living.poll() is None
        assert _state(world) == (4, 2, 2)


def test_a_writer_that_comes_back_ends_its_request_after_all(world: World) -> None:
    """After a full disk a writer looks dead; its end line takes the place of the unknown outcome."""
    record = make_record()
    other = make_record(response_model="o3")
    world.writer.begin(make_begin(record))
    world.spool(other)
    world.writer.close()
    world.drain.run()
    compact_rollup(world.ledger)
    before = _state(world)
    world.store(record)

    assert (before, _state(world)) == ((2, 1, 0), (2, 0, 0))
    assert world.one(record)["outcome"] == "completed"
    assert [(group.value, group.totals.requests) for group in queries.by_dimension(world.ledger, ALWAYS, "model")] == [
        ("gpt-4o-2024-08-06", 1),
        ("o3", 1),
    ]


def test_a_segment_that_was_removed_keeps_no_request_in_flight(world: World) -> None:
    """Nobody will ever read how it ended."""
    world.writer.begin(make_begin())
    world.drain.run()
    before = _state(world)
    world.segments()[0].unlink()
    world.drain.run()

    assert (before, _state(world)) == ((0, 0, 1), (1, 1, 0))


@pytest.mark.parametrize("has_first", [True, False])
def test_begin_lines_whose_end_is_stored_are_dropped(world: World, has_first: bool) -> None:
    """The compaction keeps only those that still wait."""
    record = make_record()
    world.writer.begin(make_begin(record))
    if has_first:
        world.writer.begin(make_begin())
    world.drain.run()
    world.store(record)
    compact_positions(world.ledger)

    assert world.value("select count(*) from begins") == int(has_first)
