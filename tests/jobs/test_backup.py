"""Backups of both stores: whole, made beside writers, checked before they are used, and put back without a loss."""

import json
import os
import shutil
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.errors import ControlError, LedgerError, MonitorError
from monitor.health import Health
from monitor.home import Home
from monitor.jobs.backup import back_up, ledger_of, read_backup, restore
from monitor.ledger.aside import write_ahead_logs
from monitor.ledger.check import check
from monitor.ledger.check_lines import REQUESTS
from monitor.ledger.drain import Drain
from monitor.ledger.examine import examine
from monitor.ledger.ledger import Ledger
from monitor.ledger.lost import lost_parts
from tests.factories import NOW, make_record
from tests.world import World, price_book


def _stores(world: World, *budgets: str) -> None:
    with Control.open(world.home.control, system_clock) as control:
        for name in budgets:
            control.add_budget(name=name, amount=Decimal(5), period="month", time_zone="UTC")


def _budgets(home: Home) -> list[str]:
    with Control.open(home.control, system_clock) as control:
        return sorted(budget.name for budget in control.list_budgets())


def _backed_up(world: World, target: Path) -> Path:
    back_up(world.ledger, world.home, target, world.clock)
    return target


def _full(directory: Path) -> tuple[Home, Path]:
    """A data directory with two requests and a budget, and its backup."""
    with World(directory) as world:
        _stores(world, "all")
        world.store(make_record(), make_record())
        return world.home, _backed_up(world, directory / "backup")


def test_a_backup_has_both_stores(tmp_path: Path) -> None:
    """And says what is in it; only its owner can look."""
    _, source = _full(tmp_path)
    facts = json.loads((source / "backup.json").read_text())

    assert examine(ledger_of(source)).requests == facts["requests"] == 2
    assert {path.name for path in source.iterdir()} == {"ledger.duckdb", "control.sqlite", "backup.json"}
    assert {path.stat().st_mode & 0o077 for path in (source, *source.iterdir())} == {0}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home"]


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    """Neither a file nor an empty directory."""
    with World(tmp_path) as world:
        _stores(world)
        (tmp_path / "taken").mkdir()

        with pytest.raises(LedgerError, match="overwrites nothing"):
            _backed_up(world, tmp_path / "taken")
    assert list((tmp_path / "taken").iterdir()) == []


def test_a_backup_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    """There is no control store here."""
    with World(tmp_path) as world, pytest.raises(ControlError):
        _backed_up(world, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_writers_go_on_while_the_ledger_is_copied(tmp_path: Path) -> None:
    """What they commit meanwhile is not in the copy, and neither spoils it nor is lost."""
    with World(tmp_path) as world:
        world.store(*(make_record() for _ in range(1_000)))
        with world.ledger.held_still() as size:
            done = threading.Thread(target=lambda: world.store(*(make_record() for _ in range(3_000))))
            done.start()
            done.join()
            copy = tmp_path / "copy.duckdb"
            copy.write_bytes(world.ledger.path.read_bytes()[:size])
        world.ledger.checkpoint()

        assert (examine(copy).fault, examine(copy).requests) == (None, 1_000)
        assert world.value("select count(*) from requests") == 4_000


def test_a_restored_backup_is_what_was_backed_up(tmp_path: Path) -> None:
    """What came since is read from the spool again; the stores that were there are set aside."""
    home, source = _full(tmp_path)
    with World(tmp_path) as world:
        _stores(world, "later")
        world.store(make_record())
    done = restore(home, source, system_clock)
    with World(tmp_path) as world:
        world.drain.run()

        assert world.value("select count(*) from requests") == 3
    assert _budgets(home) == ["all"]
    assert {path.name.split(".aside-")[0] for path in done.aside} == {"ledger.duckdb", "control.sqlite"}
    assert [examine(path).requests for path in done.aside if path.name.startswith("ledger")] == [3]
    assert (done.before is not None and done.before.requests, done.now.requests) == (3, 2)


def test_the_log_of_a_killed_server_is_not_read_into_the_backup(tmp_path: Path) -> None:
    """DuckDB would: the log goes on from a later checkpoint than that of the copy, and is set aside."""
    killed = Home(tmp_path / "killed")
    with World(tmp_path) as world:
        _stores(world)
        world.store(make_record())
        source = _backed_up(world, tmp_path / "backup")
        world.store(make_record(), make_record())
        world.ledger.checkpoint()
        world.store(make_record())
        whole = world.value("select count(*) from requests")
        shutil.copytree(world.home.path, killed.path)
    (log,) = write_ahead_logs(killed.ledger)
    logged = log.read_bytes()
    done = restore(killed, source, system_clock)
    left = write_ahead_logs(killed.ledger)
    with Ledger.open(killed.ledger) as ledger:
        Drain(ledger, killed.spool, price_book(), Health()).run()
        found = check(ledger)

    assert (left, done.now.requests) == ([], 1)
    assert [path.read_bytes() for path in done.aside if path.name.endswith(".wal")] == [logged]
    assert (found.faults, found.figures[REQUESTS]) == ((), whole)


def test_what_a_restored_ledger_lacks_is_told(tmp_path: Path) -> None:
    """A segment that was drained after the backup and has left the spool: its file, its requests."""
    home, source = _full(tmp_path)
    before = {*home.spool.glob("*.ndjson")}
    with World(tmp_path) as world:
        world.store(make_record(), make_record(), make_record())
    (gone,) = {*home.spool.glob("*.ndjson")} - before
    gone.unlink()
    done = restore(home, source, system_clock)
    with World(tmp_path) as world:
        world.drain.run()
    lost = lost_parts(done.before, done.now, examine(home.ledger), (home.spool, home.content))

    assert (lost.is_known, lost.records) == (True, 3)
    assert [(part.file, part.since, part.records) for part in lost.parts] == [(gone.name, 0, 3)]


def test_a_segment_that_was_still_written_and_is_gone_is_told_though_no_ledger_knows_it(tmp_path: Path) -> None:
    """On a new machine there is only the backup: how the segment went on nobody knows."""
    _, source = _full(tmp_path)
    other = Home(tmp_path / "other")
    other.create()
    done = restore(other, source, system_clock)
    lost = lost_parts(done.before, done.now, done.now, (other.spool,))

    assert (done.before, done.aside, done.now.requests) == (None, (), 2)
    assert [(part.until, part.records) for part in lost.parts] == [(None, None)]
    assert _budgets(other) == ["all"]


def test_damaged_stores_are_replaced_too(tmp_path: Path) -> None:
    """That is when a backup is needed; the damaged files are kept as they are."""
    home, source = _full(tmp_path)
    home.ledger.write_bytes(b"no ledger" * 1_000)
    home.control.write_bytes(b"no store" * 1_000)
    done = restore(home, source, system_clock)

    assert sorted(path.read_bytes()[:5] for path in done.aside) == [b"no le", b"no st"]
    assert (examine(home.ledger).requests, _budgets(home)) == (2, ["all"])


@pytest.mark.parametrize("name", ["ledger.duckdb", "control.sqlite"])
def test_a_backup_that_was_altered_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is touched."""
    home, source = _full(tmp_path)
    content = (source / name).read_bytes()
    (source / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    before = home.ledger.read_bytes()

    with pytest.raises(LedgerError, match=f"{name} is not what was backed up"):
        restore(home, source, system_clock)
    assert home.ledger.read_bytes() == before


def test_a_backup_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """As its ledger would be."""
    _, source = _full(tmp_path)
    facts = source / "backup.json"
    told = json.loads(facts.read_text())
    facts.write_text(json.dumps(told | {"ledger_revision": "9999"}))
    with pytest.raises(LedgerError, match="made by a newer version of openai-monitor"):
        read_backup(source)
    facts.write_text(json.dumps(told | {"format": 2}))

    with pytest.raises(LedgerError, match="made by a newer version of openai-monitor"):
        read_backup(source)


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    """A directory of something else, and none."""
    (tmp_path / "other").mkdir()
    for source in (tmp_path / "other", tmp_path / "none"):
        with pytest.raises(MonitorError, match="is no backup"):
            read_backup(source)


def test_what_a_killed_backup_left_is_cleared_away(tmp_path: Path) -> None:
    """By a later one to the same place; one that may still be made stays."""
    old, young, other = (tmp_path / f".{name}.unfinished" for name in ("backup.old", "backup.young", "other.old"))
    for draft in (old, young, other):
        draft.mkdir()
        (draft / "ledger.duckdb").write_text("part of it")
    for draft, moment in ((old, 0.0), (young, NOW.timestamp()), (other, 0.0)):
        os.utime(draft, (moment, moment))
    _full(tmp_path)

    assert [draft.exists() for draft in (old, young, other)] == [False, True, True]
