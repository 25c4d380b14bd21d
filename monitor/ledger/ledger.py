"""The one door to DuckDB: opens the ledger, hands out cursors, checkpoints."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import duckdb

from monitor.clock import Clock, system_clock
from monitor.errors import LedgerError
from monitor.ledger.migrate import migrate

_ADVICE = (
    "If it is damaged, move it away with its .wal file: what is still on the spool is read again, the rest comes back "
    "from a backup."
)


class Ledger:
    """An open ledger. Readers take cursors as they like; writers take turns.

    All times inside are UTC without a zone.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, clock: Clock) -> None:
        """Use `Ledger.open` or `Ledger.open_read_only`."""
        self._connection = connection
        self._turn = threading.RLock()
        self.path = path
        self.clock = clock
        self.checkpointed_at: datetime | None = None

    @classmethod
    def open(cls, path: Path, *, clock: Clock = system_clock) -> Self:
        """Open for writing, made or upgraded first. The caller holds the lease.

        Raises:
            LedgerError: the file is damaged, locked, or made by a newer program.
        """
        migrate(path)
        return cls(_connect(path, is_read_only=False), path, clock)

    @classmethod
    def open_read_only(cls, path: Path, *, clock: Clock = system_clock) -> Self:
        """Open for reading beside other readers.

        Raises:
            LedgerError: there is no ledger yet, or a writer has it.
        """
        return cls(_connect(path, is_read_only=True), path, clock)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one question; use it in one thread.

        Raises:
            LedgerError: the file is damaged where the question reads it.
        """
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
            raise LedgerError(f"The ledger {self.path} cannot be used: {error} {_ADVICE}") from error

    @contextmanager
    def turn(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for a writer, who is alone until the end of the block; temporary tables live as long."""
        with self._turn, self.cursor() as cursor:
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A turn that is one transaction."""
        with self.turn() as cursor, transaction(cursor):
            yield cursor

    def checkpoint(self) -> None:
        """Write everything committed into the file itself; spool segments may go only after that."""
        with self._turn, self.cursor() as cursor:
            before = self.clock()
            cursor.execute("checkpoint")
            self.checkpointed_at = before

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        with self._turn:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block is committed at its end, or nothing when it raises."""
    cursor.execute("begin")
    is_done = False
    try:
        yield
        is_done = True
    finally:
        cursor.execute("commit" if is_done else "rollback")


def _connect(path: Path, *, is_read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        # Nothing here reads other files or loads extensions; what cannot be done cannot be misused.
        connection = duckdb.connect(
            str(path),
            read_only=is_read_only,
            config={"enable_external_access": "false", "autoinstall_known_extensions": "false"},
        )
        # Answers do not depend on where the machine stands.
        connection.execute("set global TimeZone = 'UTC'")
    except duckdb.Error as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error} {_ADVICE}") from error
    return connection
