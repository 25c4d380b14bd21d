"""The data directory: it is made, it is ours alone, and its secret is made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import HomeError
from monitor.home import Home, migrations_directory, working_directory
from tests.architecture.sources import ROOT

_ASKS = """
import sys
from pathlib import Path
from monitor.home import Home
sys.stdin.readline()
print(Home(Path(sys.argv[1])).secret().hex())
"""


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_directories_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    """Below ones that are not there yet, too."""
    home = Home(tmp_path / "a" / "b")
    home.create()

    assert (_mode(home.path), _mode(home.spool)) == (0o700, 0o700)


def test_making_again_changes_nothing(tmp_path: Path) -> None:
    """Every wrapped client does it."""
    home = Home(tmp_path / "home")
    home.create()
    (home.spool / "x").touch()
    home.create()

    assert (home.spool / "x").exists()


def test_naming_a_home_touches_nothing(tmp_path: Path) -> None:
    """Only `create` makes something."""
    home = Home(tmp_path / "home")

    assert {home.ledger.name, home.control.name, home.lease.name, home.server.name, home.secret_file.name} == {
        "ledger.duckdb",
        "control.sqlite",
        "server.lock",
        "server.json",
        "secret",
    }
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
@pytest.mark.parametrize("name", ["", "spool"])
def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path, mode: int, name: str) -> None:
    """With the command that mends it: others could put records there, or replace the secret."""
    home = Home(tmp_path / "home")
    home.create()
    (home.path / name).chmod(mode)

    with pytest.raises(HomeError, match=rf"can be written by other users \(mode {mode:04o}\)\. Run: chmod 700 "):
        home.create()


def test_a_directory_that_others_can_only_read_is_taken(tmp_path: Path) -> None:
    """That is the choice of its owner; the doctor tells it."""
    (tmp_path / "home").mkdir(mode=0o755)
    Home(tmp_path / "home").create()


_FOREIGN = """
import os, sys
from pathlib import Path
from monitor.errors import HomeError
from monitor.home import Home

os.chdir(sys.argv[1])
os.seteuid(int(sys.argv[2]))
try:
    Home(Path("home")).create()
except HomeError as error:
    print(error)
"""
_ONE, _ANOTHER = 12_345, 54_321


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give a directory away")
@pytest.mark.parametrize(("user", "is_refused"), [(_ONE, False), (_ANOTHER, True), (0, False)])
def test_a_directory_of_another_user_is_refused(tmp_path: Path, user: int, is_refused: bool) -> None:
    """Its owner could change the records. The superuser may use anybody's, as in containers."""
    for path in (tmp_path, tmp_path / "home", tmp_path / "home" / "spool"):
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
        os.chown(path, _ONE, _ONE)
    run = subprocess.run(
        [sys.executable, "-c", _FOREIGN, str(tmp_path), str(user)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ("belongs to another user (number 12345). Set MONITOR_HOME" in run.stdout) == is_refused, run.stdout


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    """With a sentence, not a traceback."""
    (tmp_path / "home").touch()

    with pytest.raises(HomeError, match=r"cannot be used: .*Set MONITOR_HOME"):
        Home(tmp_path / "home").create()


def test_a_name_that_no_system_takes_is_refused() -> None:
    """As any other fault of the place."""
    with pytest.raises(HomeError, match="cannot be used"):
        Home(Path("a\0b")).create()


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    """It salts fingerprints, so it must stay the same; only the owner can read it."""
    home = Home(tmp_path)
    secret = home.secret()

    assert (len(secret), Home(tmp_path).secret(), _mode(home.secret_file)) == (32, secret, 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_every_installation_has_its_own_secret(tmp_path: Path) -> None:
    """Fingerprints of two installations cannot be joined."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert Home(tmp_path / "a").secret() != Home(tmp_path / "b").secret()


def test_programs_that_start_together_have_one_secret(tmp_path: Path) -> None:
    """Whichever comes first makes it; all read the whole of it."""
    command = [sys.executable, "-c", _ASKS, str(tmp_path)]
    programs = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    said = [program.communicate()[0].strip() for program in programs]

    assert said == [Home(tmp_path).secret().hex()] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("content", ["", "abcd", "no hex at all", "ab" * 33, "\xff"])
def test_a_damaged_secret_is_refused(tmp_path: Path, content: str) -> None:
    """An empty one would make fingerprints that anybody could work out."""
    (tmp_path / "secret").write_text(content, encoding="utf-8")

    with pytest.raises(HomeError, match="cannot be read or made"):
        Home(tmp_path).secret()


def test_a_secret_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With the place."""
    with pytest.raises(HomeError, match="cannot be read or made"):
        Home(tmp_path / "nowhere").secret()


@pytest.mark.parametrize("store", ["ledger", "control"])
def test_the_migrations_are_found(store: str) -> None:
    """In a checkout as in an installed wheel."""
    assert (migrations_directory() / store / "env.py").is_file()


def test_the_working_directory_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program goes on in a directory that somebody removed; so does what looks for settings."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert working_directory() == Path("/")
