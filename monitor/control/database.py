"""The SQLite file: how it is opened, and what a transaction is."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from monitor.control.migrate import upgrade
from monitor.errors import ControlError

_FILE_MODE: Final = 0o600
_BUSY_TIMEOUT: Final = 10.0
_WRITES: Final = "control_writes"

_DAMAGED: Final = (
    "It is damaged, and what it holds (budgets, receivers, alerts, own prices) stands nowhere else. Stop the server, "
    "move the file and those of its name with -wal and -shm elsewhere, and copy control.sqlite of a backup to its "
    "place; without a backup an empty one is made."
)
_ELSE: Final = "If it stays so, put back a backup: monitor ledger restore BACKUP."
_ADVICE: Final = (
    ("not a database", _DAMAGED),
    ("malformed", _DAMAGED),
    ("locked", "Another program is writing to it: try again, or stop that program."),
    ("readonly", "Give this user the file and its directory, or set MONITOR_HOME to another directory."),
    ("unable to open", "Give this user the file and its directory, or set MONITOR_HOME to another directory."),
    ("is full", "Free some space."),
)
"""What to do about a store that SQLite cannot use, by its words."""


class Database:
    """Gives sessions on the file. Threads may share it; processes open one each."""

    def __init__(self, path: Path) -> None:
        """Create the file, readable by its owner only, if it is not there, and bring it to the current schema.

        Raises:
            ControlError: the file cannot be used, is no control store, or is newer than this program.
        """
        self._path = path
        _create_file(path)
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_TIMEOUT}, pool_size=8
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(**{_WRITES: True})
        with ExitStack() as opened:
            opened.callback(self.close)
            with self._explained():
                upgrade(self._engine, self._writer, path)
            # All went well, so it stays open.
            opened.pop_all()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the store and changes nothing."""
        with self._explained(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is alone in writing, commits at the end, and takes everything back on an exception."""
        with self._explained(), Session(self._writer) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise ControlError(f"The control store {self._path} cannot be used: {_explain(error)}") from error


def _explain(error: DBAPIError) -> str:
    words = next((words for mark, words in _ADVICE if mark in str(error.orig)), _ELSE)
    return f"{error.orig}. {words}"


def _create_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    except OSError as error:
        raise ControlError(f"The control store {path} cannot be opened: {error.strerror}.") from error


def _prepare(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 (SQLAlchemy's interface)
    # Left to itself, sqlite3 begins transactions on its own, late and without the write lock.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")


def _begin(connection: Connection) -> None:
    # Two transactions that read first and write later could each wait for the other; one of them would fail at once.
    is_writing = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
