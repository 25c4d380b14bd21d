"""`monitor ledger` as people use it: beside a server, without one, and on the day on which something is damaged."""

from pathlib import Path

from tests.flow.running import Server, monitor, report, run


def _ledger(home: Path, *words: str, status: int = 0) -> str:
    ended = monitor("ledger", *words, home=home)
    assert ended.status == status, ended.err
    return ended.out + ended.err


def test_a_server_is_backed_up_checked_and_restored(tmp_path: Path) -> None:
    """The commands ask the server where one runs; to restore, it must be stopped."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "3", home=home)
    with Server(home):
        said = _ledger(home, "backup", str(tmp_path / "backup"))
        checked = _ledger(home, "check")
        refused = _ledger(home, "restore", str(tmp_path / "backup"), status=2)
    run("-m", "tests.flow.plain_app", "2", home=home)
    restored = _ledger(home, "restore", str(tmp_path / "backup"))

    assert "Backed up 3 requests" in said
    assert "All of it agrees, to the last decimal." in checked
    assert "in use by another monitor process" in refused
    assert "with 3 requests from" in restored
    assert "the ledger has 5 requests from" in restored
    assert "Nothing is missing" in restored
    assert report(home)["total"]["requests"] == 5


def test_a_backup_has_what_programs_have_written(tmp_path: Path) -> None:
    """Also what no server has read off the spool yet."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "3", home=home)

    assert "Backed up 3 requests" in _ledger(home, "backup", str(tmp_path / "backup"))


def test_a_damaged_ledger_names_the_command_that_mends_it(tmp_path: Path) -> None:
    """A server stops with one sentence; the command reads the spool again, and says what it did."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "3", home=home)
    report(home)
    ledger = home / "ledger.duckdb"
    ledger.write_bytes(b"\0" * 20_000 + ledger.read_bytes()[20_000:])
    stopped = monitor("up", "--port", "0", home=home)
    said = _ledger(home, "recover")
    again = _ledger(home, "recover")

    assert (stopped.status, len(stopped.err.splitlines())) == (2, 1)
    assert "run: monitor ledger recover" in stopped.err
    assert "a new ledger is made of what the spool has" in said
    assert "the ledger has 3 requests" in said
    assert "Nothing was changed." in again
    assert report(home)["total"]["requests"] == 3


def test_a_check_that_finds_something_has_exit_status_1(tmp_path: Path) -> None:
    """Both figures are named; what is in quarantine is listed, and tried again."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "3", home=home)
    (segment,) = (home / "spool").iterdir()
    segment.write_bytes(segment.read_bytes().replace(b'"input_tokens":', b'"input_TOKENS":', 1))
    listed = _ledger(home, "quarantine")
    retried = _ledger(home, "retry")
    run("-c", _SPOIL, str(home / "ledger.duckdb"), home=home)
    found = _ledger(home, "check", status=1)
    mended = _ledger(home, "check", "--recount")

    assert "checksum" in listed
    assert "0 lines are stored now, 1 stay in quarantine" in retried
    assert "usage_daily.input_tokens" in found
    assert "Counted anew" in mended


_SPOIL = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('update usage_daily set input_tokens = 1')"
