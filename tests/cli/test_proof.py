"""`monitor ledger check` says what it has proved, and what it has not."""

from datetime import timedelta
from pathlib import Path

from monitor.clock import system_clock
from monitor.home import Home
from monitor.ledger.ledger import Ledger
from monitor.ledger.retention import forget
from tests.cli.commands import run, spooled
from tests.factories import make_record

_DAY = timedelta(days=1)


def test_a_check_that_compares_no_day_does_not_say_that_all_agrees(tmp_path: Path) -> None:
    """Old requests of a day of which others were let go of have nothing to be compared with."""
    old = system_clock() - 60 * _DAY
    home = spooled(tmp_path, make_record(started_at=old))
    first = run(home, "ledger", "check").stdout
    with Ledger.open(Home(home).ledger) as ledger:
        forget(ledger, requests=40 * _DAY, rollup=None, pieces=40 * _DAY)
    spooled(tmp_path, make_record(started_at=old))
    second = run(home, "ledger", "check")

    assert "All of it agrees, to the last decimal." in first
    assert "no day could be compared" in second.stdout
    assert "All of it agrees" not in second.stdout
    assert second.exit_code == 0
