"""`monitor doctor`: it finds what is wrong, says how to mend it, and tells a script by its exit status."""

import contextlib
import os
import re
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path

from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.errors import SettingsError
from monitor.home import Home
from monitor.ledger.lease import Lease
from monitor.ledger.ledger import Ledger
from monitor.ledger.recovery import recover
from monitor.notifiers.webhook import webhook_config
from tests.cli.commands import run, spooled
from tests.factories import make_record
from tests.flow.running import monitor
from tests.world import World, line_of, sealed


def _text(output: str) -> str:
    return re.sub(r"\s+", " ", output)


def test_a_healthy_directory_is_healthy(tmp_path: Path) -> None:
    """Exit status 0, and where things are."""
    home = spooled(tmp_path, make_record())
    result = run(home, "doctor")
    text = _text(result.stdout)

    assert (result.exit_code, "!!" in text) == (0, False)
    assert str(home) in text
    assert "1 segment," in text
    assert "does not run; start it with: monitor up" in text
    assert "bytes wait; monitor report or monitor up drains them" in text


def test_a_used_directory_tells_its_age_and_prices(tmp_path: Path) -> None:
    """What the ledger holds is told from the ledger."""
    with World(tmp_path) as world:
        world.store(make_record())
        home = world.home.path
    text = _text(run(home, "doctor").stdout)

    assert "opens; oldest requests from 2026-11-20 12:00 UTC" in text
    assert "genai-prices" in text


def test_a_directory_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """Exit status 1, what to do, and nothing is made."""
    result = run(tmp_path / "nowhere", "doctor")

    assert result.exit_code == 1
    assert "does not exist yet" in _text(result.stdout)
    assert "set MONITOR_HOME if your app uses another place" in _text(result.stdout)
    assert not (tmp_path / "nowhere").exists()


def test_what_others_can_read_is_a_finding(tmp_path: Path) -> None:
    """With the command that mends it."""
    with World(tmp_path) as world:
        world.home.secret()
        home = world.home.path
    modes = {home: 0o750, home / "spool": 0o755, home / "ledger.duckdb": 0o644, home / "secret": 0o604}
    for path, mode in modes.items():
        path.chmod(mode)
    result = run(home, "doctor")
    text = _text(result.stdout)

    assert result.exit_code == 1
    assert [f"is open to others ({mode:04o}) → Run: chmod go-rwx {path}" in text for path, mode in modes.items()] == (
        [True] * 4
    )


def test_contents_that_are_kept_are_told(tmp_path: Path) -> None:
    """With their permissions and files that cannot be read; nothing is said where none are kept."""
    home = Home(spooled(tmp_path))
    before = _text(run(home.path, "doctor").stdout)
    home.create_content()
    home.content.chmod(0o750)
    broken = home.content / "1.ndjson"
    broken.write_bytes(b"something")
    os.utime(broken, (0, 0))
    text = _text(run(home.path, "doctor").stdout)

    assert "prompts and answers" not in before
    assert "prompts and answers are kept: 0 segments" in text
    assert f"Run: chmod go-rwx {home.content}" in text
    assert "1 files without a readable header, such as 1.ndjson" in text


def test_a_directory_that_others_can_write_to_is_a_finding(tmp_path: Path) -> None:
    """Though then the stores are not opened."""
    home = spooled(tmp_path)
    home.chmod(0o777)
    result = run(home, "doctor")

    assert result.exit_code == 1
    assert "(0777)" in _text(result.stdout)


def test_damaged_lines_are_a_finding(tmp_path: Path) -> None:
    """They are in quarantine, where they can be seen."""
    with World(tmp_path) as world:
        world.forge(sealed(b"bad"))
        world.drain.run()
        home = world.home.path
    result = run(home, "doctor")

    assert result.exit_code == 1
    assert "1 damaged lines" in _text(result.stdout)


def test_dropped_records_are_a_finding(tmp_path: Path) -> None:
    """How many, and why."""
    with World(tmp_path) as world:
        world.forge(line_of({"reason": "disk_full", "count": 3}, kind=b"dropped"))
        world.drain.run()
        home = world.home.path
    result = run(home, "doctor")

    assert result.exit_code == 1
    assert "3 records were dropped: disk_full" in _text(result.stdout)


def test_a_ledger_that_does_not_open_is_a_finding(tmp_path: Path) -> None:
    """With what to do; it is not touched."""
    home = spooled(tmp_path)
    (home / "ledger.duckdb").write_bytes(b"something else" * 1_000)
    (home / "ledger.duckdb").chmod(0o600)
    result = run(home, "doctor")

    assert result.exit_code == 1
    assert "cannot be opened" in _text(result.stdout)
    assert "the spool is read again" in _text(result.stdout)


def test_a_control_store_that_is_damaged_is_a_finding(tmp_path: Path) -> None:
    """With what helps it: nothing of it is on the spool, and the ledger is well."""
    home = Home(spooled(tmp_path))
    Control.open(home.control, system_clock).close()
    home.control.write_bytes(b"something else" * 1_000)
    result = run(home.path, "doctor")
    text = _text(result.stdout)

    assert result.exit_code == 1
    assert "!! control store" in text
    assert "move the file and those of its name with -wal and -shm elsewhere" in text
    assert "ledger recover" not in text


def test_what_helps_a_damaged_control_store_helps(tmp_path: Path) -> None:
    """A copy from a backup, or none at all."""
    home = Home(spooled(tmp_path, make_record()))
    with Control.open(home.control, system_clock) as control:
        control.add_budget(name="kept", amount=Decimal(5), period="month", time_zone="UTC")
    run(home.path, "ledger", "backup", str(tmp_path / "backup"))
    home.control.write_bytes(b"something else" * 1_000)
    damaged = run(home.path, "doctor")
    home.control.unlink()
    emptied = run(home.path, "doctor")
    home.control.unlink()
    shutil.copy(tmp_path / "backup" / home.control.name, home.control)
    mended = run(home.path, "doctor")
    with Control.open(home.control, system_clock) as control:
        names = [budget.name for budget in control.list_budgets()]

    assert (damaged.exit_code, emptied.exit_code, mended.exit_code) == (1, 0, 0)
    assert names == ["kept"]


def test_stores_of_a_newer_program_ask_for_an_upgrade(tmp_path: Path) -> None:
    """They are not damaged."""
    home = Home(spooled(tmp_path))
    run(home.path, "report")
    with contextlib.closing(sqlite3.connect(home.control)) as control:
        control.execute("update alembic_version set version_num = '9999'")
        control.commit()
    newer_control = _text(run(home.path, "doctor").stdout)
    with Ledger.open(home.ledger) as ledger, ledger.writing() as cursor:
        cursor.execute("update alembic_version set version_num = '9999'")
    newer_ledger = _text(run(home.path, "doctor").stdout)

    for text, what in ((newer_control, "control store"), (newer_ledger, "ledger")):
        assert f"!! {what}" in text
        assert "Upgrade openai-monitor, or set MONITOR_HOME to another directory. → Do so" in text
        assert "ledger recover" not in text


def test_a_ledger_that_another_program_has_open_is_not_called_damaged(tmp_path: Path) -> None:
    """A DuckDB shell, perhaps."""
    home = Home(spooled(tmp_path))
    run(home.path, "report")
    with Ledger.open(home.ledger):
        text = _text(monitor("doctor", home=home.path, more={"COLUMNS": "200"}).out)

    assert "Another program has the file open: stop that first." in text
    assert "→ Do so, and run monitor doctor again." in text
    assert "ledger recover" not in text


def test_a_recovery_that_was_broken_off_is_a_finding(tmp_path: Path) -> None:
    """A ledger made anew would look as if nothing was missing."""
    home = Home(spooled(tmp_path, make_record()))
    home.ledger.write_bytes(b"something else" * 1_000)
    home.ledger.chmod(0o600)
    recover(home.ledger, system_clock)
    result = run(home.path, "doctor")

    assert result.exit_code == 1
    assert "is not finished. To finish it, run: monitor ledger recover → Do so, and run monitor doctor" in _text(
        result.stdout
    )
    assert not home.ledger.exists()


def test_a_directory_in_use_is_a_finding(tmp_path: Path) -> None:
    """With the process that has it."""
    home = spooled(tmp_path)
    with Lease(home / "server.lock"):
        result = run(home, "doctor")

    assert result.exit_code == 1
    assert "is in use by another monitor process" in _text(result.stdout)


def test_a_variable_that_is_no_setting_is_told(tmp_path: Path) -> None:
    """It may be misspelt."""
    result = run(spooled(tmp_path), "doctor", MONITOR_PROT="1")

    assert "MONITOR_PROT: no such setting, ignored" in _text(result.stdout)
    assert "docs/settings.md" in _text(result.stdout)


def test_a_setting_that_cannot_be_used_ends_it(tmp_path: Path) -> None:
    """Before anything is looked at."""
    result = run(tmp_path, "doctor", MONITOR_PORT="http")

    assert isinstance(result.exception, SettingsError)


def test_a_receiver_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """Or nobody would hear of what it was to be told."""
    with World(tmp_path) as world:
        home = world.home.path
    with Control.open(Home(home).control, system_clock) as control:
        control.add_receiver(name="finance", kind="webhook", config=webhook_config(url="https://hooks.example.com/x"))
    result = run(home, "doctor", MONITOR_UNPRICED_RECEIVERS="finance,on-cal")
    text = _text(result.stdout)

    assert result.exit_code == 1
    assert "unpriced_receivers names on-cal, and there is no such receiver" in text
    assert "some of: finance." in text
    assert "names finance" not in text
