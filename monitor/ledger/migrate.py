"""Creates the ledger file and brings its schema up to date, through Alembic."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from monitor.errors import LedgerError
from monitor.home import migrations_directory

_CAUSES: Final = (
    ("lock on file", "Another program has the file open: stop that first."),
    ("ermission denied", "Give this user the file, or set MONITOR_HOME to another directory."),
    ("No space left", "Free some space."),
    ("read database file with version", "A newer DuckDB wrote it: upgrade openai-monitor and duckdb."),
    ("does not exist", "There is none yet: monitor up makes it."),
    ("Out of Memory", "Give it more memory, or a larger MONITOR_LEDGER_MEMORY."),
)
_AS_NEW: Final = {"storage_compatibility_version": "v1.5.0"}
"""The oldest DuckDB that this program runs with can read it. Texts are compressed in half the time that DuckDB takes
for a file that its first versions can read. A file keeps what it was made with."""

_DAMAGED: Final = "If it is damaged, run: monitor ledger recover (the spool is read again)."
_REVISION: Final = "select version_num from alembic_version"


def other_cause(text: str) -> str | None:
    """What to do about a ledger that DuckDB cannot use, by its words; None where it may be damaged."""
    return next((words for mark, words in _CAUSES if mark in text), None)


def advice(error: BaseException) -> str:
    """What to do about a ledger that DuckDB cannot use."""
    return other_cause(str(error)) or _DAMAGED


def migrate(path: Path, *, to: str = "head") -> None:
    """Create or upgrade the ledger at `path` to a revision; nothing happens when it is current.

    All missing migrations are one transaction, and a checkpoint follows: who is killed in the middle begins again.

    Raises:
        LedgerError: the file cannot be opened, or a newer program made it.
    """
    is_new = not path.exists()
    if to == "head" and not is_new and _is_current(path):
        return
    config = _config()
    # The pool is off so that nothing keeps the file open: DuckDB lets one instance own it.
    engine = sqlalchemy.create_engine(
        f"duckdb:///{path}", poolclass=sqlalchemy.pool.NullPool, connect_args={"config": _AS_NEW}
    )
    try:
        with _explained(path), engine.connect() as connection:
            if not is_new:
                refuse_newer(path, _revision_in(connection))
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            connection.commit()
            # A schema change that is only in the write-ahead log has been a source of replay failures.
            connection.execute(sqlalchemy.text("checkpoint"))
            connection.commit()
    finally:
        engine.dispose()
    if is_new:
        path.chmod(0o600)


def require_current(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a ledger that only a migration makes readable, or a newer program.

    Raises:
        LedgerError: the text says what to do.
    """
    with _explained(path):
        found = connection.execute(_REVISION).fetchone()
    revision = str(found[0]) if found else None
    refuse_newer(path, revision)
    if revision != _head():
        raise LedgerError(
            f"The ledger {path} has the schema {revision}, and this version of openai-monitor reads {_head()}. "
            "Start monitor up, or stop and start it again if it runs: it upgrades the ledger."
        )


def refuse_newer(path: Path, revision: str | None) -> None:
    """Refuse a ledger whose revision this program does not know.

    Raises:
        LedgerError: with what to do.
    """
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    if revision is not None and revision not in known:
        raise LedgerError(
            f"The ledger {path} was made by a newer version of openai-monitor (schema {revision}; "
            f"this one knows {', '.join(sorted(known))}). "
            "Upgrade openai-monitor, or set MONITOR_HOME to another directory."
        )


def _is_current(path: Path) -> bool:
    """Whether there is nothing to do: to ask Alembic takes four times as long."""
    try:
        with duckdb.connect(str(path)) as connection:
            found = connection.execute(_REVISION).fetchone()
    except duckdb.Error:
        # It cannot be opened or is empty; the long way tells which.
        return False
    return found is not None and found[0] == _head()


@functools.cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _revision_in(connection: sqlalchemy.Connection) -> str | None:
    tables = connection.execute(
        sqlalchemy.text("select table_name from duckdb_tables() where table_name = 'alembic_version'")
    ).all()
    found = connection.execute(sqlalchemy.text(_REVISION)).first() if tables else None
    # What was asked began a transaction of its own.
    connection.rollback()
    return str(found[0]) if found else None


def _config() -> Config:
    config = Config()
    # Options go through ConfigParser, to which a percent sign means something.
    config.set_main_option("script_location", str(migrations_directory() / "ledger").replace("%", "%%"))
    return config


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error.orig} {advice(error)}") from error
    except duckdb.Error as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error} {advice(error)}") from error
