"""`monitor ledger recover` and `restore` that were broken off or find nothing: what is missing is told all the same."""

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from monitor.clock import system_clock
from monitor.errors import LedgerError
from monitor.home import Home
from monitor.house import House
from monitor.jobs.backup import restore
from monitor.ledger.ledger import Ledger
from monitor.ledger.recovery import recover
from monitor.ledger.unfinished import Unfinished
from monitor.settings import Settings
from tests.cli.commands import run, spooled
from tests.factories import NOW, make_record

_NEWER = msgspec.json.encode(
    Unfinished(format=99, command="recover", begun_at=NOW, stamps=("20261120T120000000000Z",), before=None, copy=None)
)


def _said(home: Home, *words: str) -> str:
    result = run(home.path, "ledger", *words)
    assert result.exception is None, result.exception
    return re.sub(r"\s+", " ", result.stdout)


def _refused(home: Home, *words: str) -> str:
    result = run(home.path, *words)
    assert isinstance(result.exception, LedgerError)
    return str(result.exception)


def _recorded(directory: Path) -> Home:
    """One request more, on the spool and in the ledger."""
    home = Home(spooled(directory, make_record()))
    run(home.path, "report")
    return home


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One request in the backup and the ledger, one in the ledger only, one in the ledger and on the spool."""
    directory = tmp_path_factory.mktemp("template")
    home = _recorded(directory)
    _said(home, "backup", str(directory / "backup"))
    _recorded(directory)
    for path in home.spool.iterdir():
        path.unlink()
    _recorded(directory)
    return directory


@pytest.fixture
def lossy(template: Path, tmp_path: Path) -> tuple[Home, Path]:
    """A data directory like it, and its backup."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return Home(tmp_path / "home"), tmp_path / "backup"


def _damaged(home: Home) -> None:
    home.ledger.write_bytes(b"something else" * 1_000)
    home.ledger.chmod(0o600)


def test_what_was_broken_off_keeps_everybody_out(lossy: tuple[Home, Path]) -> None:
    """Each is told what to type; nothing is made where there is no ledger."""
    home, source = lossy
    _damaged(home)
    recover(home.ledger, system_clock)
    refused = [_refused(home, *words) for words in (["report"], ["ledger", "check"], ["ledger", "backup", "there"])]
    is_made = home.ledger.exists()
    with pytest.raises(LedgerError, match="To finish it, run: monitor ledger recover"):
        House(Settings(home=home.path))
    _said(home, "recover")
    restore(home, source, system_clock)

    assert {"To finish it, run: monitor ledger recover" in text for text in refused} == {True}
    assert not is_made
    assert f"To finish it, run: monitor ledger restore {source}" in _refused(home, "report")


def test_a_note_is_for_its_owner_and_gone_at_the_end(lossy: tuple[Home, Path]) -> None:
    """After it the data directory is as any other."""
    home, _ = lossy
    _damaged(home)
    recover(home.ledger, system_clock)
    mode = (home.path / "ledger.recovering.json").stat().st_mode & 0o777
    said = _said(home, "recover")

    assert mode == 0o600
    assert "Going on with the recovery that was begun at" in said
    assert not (home.path / "ledger.recovering.json").exists()
    assert "Nothing was changed." in _said(home, "recover")
    assert run(home.path, "report").exit_code == 0


def test_a_recovery_may_go_on_from_a_backup_that_was_not_named_at_first(lossy: tuple[Home, Path]) -> None:
    """And still tells what the ledger was like that was found at first."""
    home, source = lossy
    _damaged(home)
    first = recover(home.ledger, system_clock)
    said = _said(home, "recover", "--from", str(source))

    assert "It goes on from the backup, with 1 requests" in said
    assert "the ledger has 2 requests" in said
    assert "what is missing cannot be counted" in said
    assert f"Set aside: {first.aside[0]}" in said


def test_recover_finishes_a_restoring(lossy: tuple[Home, Path], tmp_path: Path) -> None:
    """It is what every other command names; another backup is not mixed with it."""
    home, source = lossy
    restore(home, source, system_clock)
    (tmp_path / "other").mkdir()
    refused = _refused(home, "ledger", "recover", "--from", str(tmp_path / "other"))
    said = _said(home, "recover")

    assert "is half restored" in refused
    assert "Going on with the restoring that was begun at" in said
    assert "Not recovered: 1 requests of 1 segments" in said
    assert run(home.path, "report").exit_code == 0


def test_what_is_damaged_while_it_is_mended_is_mended_again(lossy: tuple[Home, Path]) -> None:
    """The loss is that of the ledger that was found at first, and nothing that was set aside is overwritten."""
    home, source = lossy
    whole = home.ledger.read_bytes()
    first = restore(home, source, system_clock)
    _damaged(home)
    said = _said(home, "recover")
    aside = {path.read_bytes()[:14] for path in home.path.glob("ledger.duckdb.aside-*")}

    assert "Not recovered: 1 requests of 1 segments" in said
    assert aside == {whole[:14], b"something else"}
    assert all(path.exists() and f"Set aside: {path}" in said for path in first.aside)


def test_a_backup_may_be_restored_over_what_was_broken_off(lossy: tuple[Home, Path]) -> None:
    """The ledger that was found at first told nothing: it is not the half made one that is compared."""
    home, source = lossy
    _damaged(home)
    recover(home.ledger, system_clock)
    with Ledger.open(home.ledger):
        # A new one, as one is made when the spool is read again.
        pass
    said = _said(home, "restore", str(source))

    assert "the ledger has 2 requests" in said
    assert "what is missing cannot be counted" in said
    assert "Nothing is missing" not in said


def test_a_ledger_that_is_gone_is_made_of_the_spool(lossy: tuple[Home, Path]) -> None:
    """What was only in it nobody can count."""
    home, _ = lossy
    home.ledger.unlink()
    said = _said(home, "recover")

    assert f"There is no ledger {home.ledger}. No backup was named: a new ledger is made" in said
    assert "the ledger has 1 requests" in said
    assert "is only in the ledger that is gone." in said
    assert "Nothing is missing" not in said


def test_where_nothing_is_nothing_is_made(tmp_path: Path) -> None:
    """Somebody means another directory."""
    home = Home(spooled(tmp_path))
    for path in home.spool.iterdir():
        path.unlink()

    assert "If your app uses another data directory, set MONITOR_HOME" in _refused(home, "ledger", "recover")
    assert not home.ledger.exists()


@pytest.mark.parametrize(
    ("note", "says"), [(b"{", "cannot be read"), (_NEWER, "A newer version of openai-monitor has begun")]
)
def test_a_note_that_cannot_be_used_is_named(lossy: tuple[Home, Path], note: bytes, says: str) -> None:
    """With what to do; the ledger is not touched."""
    home, _ = lossy
    (home.path / "ledger.recovering.json").write_bytes(note)
    before = home.ledger.read_bytes()

    assert says in _refused(home, "report")
    assert "pgrade openai-monitor" in _refused(home, "ledger", "recover")
    assert home.ledger.read_bytes() == before


def test_a_backup_that_cannot_be_used_keeps_nobody_out(lossy: tuple[Home, Path]) -> None:
    """Nothing was changed, so there is nothing to finish."""
    home, source = lossy
    with (source / "ledger.duckdb").open("ab") as file:
        file.write(b"more")
    _refused(home, "ledger", "restore", str(source))

    assert run(home.path, "report").exit_code == 0
