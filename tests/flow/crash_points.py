"""Lets drains die before each of their statements in turn, and sees what the next drain makes of it. Prints JSON.

Each drain is a process that leaves by `os._exit`: nothing is rolled back, closed or flushed by it.

python -m tests.flow.crash_points TEMPLATE FOLDER FIRST STEP
"""

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from monitor.clock import system_clock
from monitor.health import Health
from monitor.home import Home
from monitor.jobs.upkeep import compact
from monitor.ledger.drain import Drain
from monitor.pricing.book import PriceBook
from monitor.pricing.installed import installed_price_book
from tests.flow.nursery import leave_after
from tests.world import DyingLedger

DIED = 77
_AT_ONCE = 1e-6
_EVERYTHING = {
    "requests": "select * exclude (host, process_id) from requests order by all",
    "usage_hourly": """
        select hour, model, call_site, error_class, sum(requests), sum(calls), sum(errors), sum(unknown_requests),
            sum(unpriced_requests), sum(input_tokens), sum(output_tokens), sum(list_cost)
        from usage_hourly group by all order by all
    """,
    "begins": "select record_id from begins order by all",
    "quarantine": "select segment, byte_offset, reason, line from quarantine order by all",
    "dropped": "select segment, reason, records from dropped order by all",
    "checkpoints": """
        select segment, max(to_offset), bool_or(is_last), sum(lines), sum(records), sum(quarantined)
        from checkpoints group by segment order by all
    """,
}


class MortalLedger(DyingLedger):
    """A ledger whose whole process is gone before the n-th statement."""

    def _count(self) -> None:
        self.statements += 1
        if self.statements == self._dies_at:
            os._exit(DIED)


def _drained(home: Home, book: PriceBook, dies_before: int | None) -> dict[str, list[str]]:
    """All that is there after a drain and the housekeeping that follows it."""
    # The schema is current: migrating it would take longer than all the rest.
    with MortalLedger(duckdb.connect(str(home.ledger)), home.ledger, system_clock) as ledger:
        ledger.dies_at(dies_before)
        Drain(ledger, home.spool, book, Health()).run()
        for _ in range(2):
            # Twice: what was read after a checkpoint is safe at the next one only.
            compact(ledger, home.spool, keep=_AT_ONCE)
        ledger.dies_at(None)
        with ledger.cursor() as cursor:
            found = {name: [str(row) for row in cursor.execute(sql).fetchall()] for name, sql in _EVERYTHING.items()}
    return found | {"spool": sorted(path.name for path in home.spool.iterdir())}


def _in_child(work: Callable[[], Any]) -> tuple[int, str]:
    """Do the work in a process of its own; its exit status, and what came of it as JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        leave_after(lambda: os.write(writing, json.dumps(work()).encode()))
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        result = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), result


def main(template: Path, folder: Path, first: int, step: int) -> None:
    book = installed_price_book()
    expected = _left_by(template, folder, book, None)[1]
    differing = []
    deaths = -1
    status = DIED
    while status == DIED:
        deaths += 1
        statement = first + deaths * step
        status, found = _left_by(template, folder, book, statement)
        if found != expected:
            differing.append([statement, found])
    if status:
        raise SystemExit(f"The drain failed with status {status}.")
    sys.stdout.write(json.dumps({"deaths": deaths, "expected": expected, "differing": differing}))


def _left_by(template: Path, folder: Path, book: PriceBook, dies_before: int | None) -> tuple[int, Any]:
    """How a drain that dies ended, and all that is there after one that does not."""
    home = Home(folder / "home")
    shutil.copytree(template, home.path)
    status, _ = _in_child(lambda: _drained(home, book, dies_before))
    again, found = _in_child(lambda: _drained(home, book, None))
    shutil.rmtree(home.path)
    return status or again, json.loads(found)


if __name__ == "__main__":
    logging.disable()
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
