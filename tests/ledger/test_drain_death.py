"""The drain dies, at any statement or killed by the system, and is started again: each line has counted once."""

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.ledger import queries
from monitor.ledger.error_queries import under_way
from monitor.ledger.ledger import Ledger
from tests.architecture.sources import ROOT
from tests.factories import make_begin, make_failure, make_record, make_usage
from tests.ledger.dying import die_at_each_statement, mortal_world
from tests.ledger.work_records import batch_begun, batch_polled, begun, line, polled
from tests.world import ALWAYS, World, fields_of, line_of, sealed

_STEP = 7
"""Statements from one death to the next: each round corrects what the rounds before it left, too."""


def test_a_drain_that_dies_at_any_statement_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Rows, rollup, quarantine, begin lines and positions are one transaction."""
    with mortal_world(tmp_path) as (world, ledger):

        def write(statement: int) -> None:
            world.spool(make_record(response_model=f"gpt-{statement}"), make_failure())
            world.writer.begin(make_begin())
            world.forge(line_of(fields_of(make_record())), sealed(b"bad"))

        statement = die_at_each_statement(ledger, write, world.drain.run)
        raw = world.rows("select count(*), count(distinct record_id), sum(list_cost), sum(input_tokens) from requests")
        rolled = world.rows("select sum(requests), sum(list_cost), sum(input_tokens) from usage_hourly")
        kept = world.value("select count(*) from quarantine"), under_way(ledger).requests

    assert statement > 15
    assert raw[0][:2] == (3 * statement, 3 * statement)
    assert rolled == [(raw[0][0], *raw[0][2:])]
    assert kept == (statement, statement)


def _corrects(tmp_path: Path, step: int) -> int:
    """Let drains that correct die at every so many statements; returns how many rounds that took."""
    with mortal_world(tmp_path) as (world, ledger):

        def write(statement: int) -> None:
            name = f"{statement}"
            world.store(begun(name), batch_begun(f"batch-{name}"), polled(f"unknown-{name}"))
            world.store(batch_polled(f"batch-{name}", file=name, usage=make_usage(input_tokens=5_000)))
            world.spool(
                polled(name), polled(name, after=90), line(file=name), line(file=name), begun(f"unknown-{name}")
            )

        works = die_at_each_statement(ledger, write, world.drain.run, step=step) // step
        raw = world.rows("select count(*), sum(input_tokens), sum(list_cost) from requests where list_cost is not null")
        rolled = world.rows("select sum(priced_requests), sum(input_tokens), sum(list_cost) from usage_hourly")

    assert raw[0][:2] == (3 * works, 3_000 * works)
    assert rolled == raw
    return works


def test_a_drain_that_dies_while_it_corrects_counts_all_usage_once(tmp_path: Path) -> None:
    """What is taken out, put back, and remembered as counted is the same transaction."""
    assert _corrects(tmp_path, _STEP) > 6


@pytest.mark.torture
def test_a_drain_that_dies_at_every_statement_while_it_corrects_counts_all_usage_once(tmp_path: Path) -> None:
    """The same, without leaving any out."""
    assert _corrects(tmp_path, 1) > 6 * _STEP


def test_what_was_committed_survives_the_death_of_the_process(tmp_path: Path) -> None:
    """SIGKILL right after the commit, nothing closed and nothing checkpointed."""
    with World(tmp_path) as world:
        world.spool(*(make_record() for _ in range(50)))
        home = world.home
    command = [sys.executable, "-m", "tests.ledger.killed_drain", str(home.path)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    with Ledger.open(home.ledger) as ledger:
        stored = queries.totals(ledger, ALWAYS).requests

    assert (process.returncode, process.stderr, stored) == (-9, b"", 50)
