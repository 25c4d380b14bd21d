import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from monitor.control.columns import UtcDateTime
from monitor.control.store import Control
from monitor.control.tables import Table
from monitor.errors import ControlError
from monitor.home import migrations_directory
from tests.factories_alerts import FakeClock, add_webhook, make_plain_alert, open_control

ROOT = Path(__file__).parents[2]


def test_only_the_owner_may_read_the_store(tmp_path: Path) -> None:
    """It holds secrets, and so do the files that SQLite puts beside it."""
    with open_control(tmp_path) as control:
        add_webhook(control)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert modes == dict.fromkeys(("control.sqlite", "control.sqlite-wal", "control.sqlite-shm"), 0o600)


def test_the_store_is_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    """Readers and a writer do not block each other, and no notification stands without its alert."""
    with open_control(tmp_path) as control, control._database.reading() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_the_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    """A model changed without a migration is found here."""
    open_control(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'control.sqlite'}", poolclass=NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """Writing into a schema that is not known could destroy it."""
    open_control(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "control.sqlite")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ControlError, match="revision 9999, which this version of openai-monitor does not know"):
        open_control(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The sentence names the file, and the file stays as it was."""
    path = tmp_path / "control.sqlite"
    path.write_text("these are somebody's notes, not a database\n" * 100)

    with pytest.raises(ControlError, match=r"control\.sqlite cannot be used: file is not a database"):
        open_control(tmp_path)
    assert path.read_text().startswith("these are somebody's notes")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """As is a directory that is not there."""
    with pytest.raises(ControlError, match="No such file or directory"):
        open_control(tmp_path / "missing")


def test_a_percent_sign_in_the_path_is_harmless(tmp_path: Path) -> None:
    """Alembic's options give it a meaning."""
    directory = tmp_path / "100%(here)s"
    directory.mkdir()
    with open_control(directory) as control:
        assert control.list_budgets() == ()


def test_migrations_travel_inside_the_package(tmp_path: Path) -> None:
    """Installed, they lie in the package; in the repository, beside it."""
    package = tmp_path / "monitor"
    package.mkdir()
    assert migrations_directory(package) == tmp_path / "alembic"
    (package / "migrations").mkdir()
    assert migrations_directory(package) == package / "migrations"


def test_a_time_without_zone_is_not_stored() -> None:
    """It could mean another moment when it is read."""
    naive = datetime.fromisoformat("2026-06-17T12:00")
    with pytest.raises(ControlError, match="has no time zone"):
        UtcDateTime().process_bind_param(naive, create_engine("sqlite://").dialect)


def test_many_threads_raise_one_alert(tmp_path: Path) -> None:
    """Two servers that see the same fact at once tell it once."""
    with open_control(tmp_path) as control:
        add_webhook(control)

    def raise_it(_: int) -> int:
        with Control.open(tmp_path / "control.sqlite", FakeClock()) as control:
            return sum(control.raise_alerts([make_plain_alert(str(number))], ["on-call"]) for number in range(20))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(raise_it, range(8))) == 20
    with open_control(tmp_path) as control:
        assert len(control.list_notifications()) == 20


OPEN_AND_WRITE = """
import sys
from pathlib import Path
from monitor.clock import system_clock
from monitor.control.store import Control
path, name = sys.argv[1:]
sys.stdin.readline()
with Control.open(Path(path), system_clock) as control:
    for number in range(10):
        control.add_receiver(name=f"{name}-{number}", kind="email", config={"to": ["a@example.com"]})
"""


def test_many_processes_open_a_new_store_at_once(tmp_path: Path) -> None:
    """Server and commands may start together on an empty directory: one makes the tables, all can write."""
    command = [sys.executable, "-W", "error", "-c", OPEN_AND_WRITE, str(tmp_path / "control.sqlite")]
    processes = [
        subprocess.Popen([*command, str(number)], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]

    assert errors == [""] * 6
    with open_control(tmp_path) as control:
        assert len(control.list_receivers()) == 60
