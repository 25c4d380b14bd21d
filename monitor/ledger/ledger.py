"""The one door to DuckDB: opens the ledger, hands out cursors, checkpoints."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from monitor.clock import Clock, system_clock
from monitor.errors import LedgerError
from monitor.ledger.migrate import advice, migrate, require_current

_NEVER = "1TB"
"""Size of the write-ahead log at which DuckDB checkpoints by itself, where it must not."""

_LARGEST_LOG = "128MB"
"""Of the write-ahead log, before DuckDB checkpoints by itself: a checkpoint compresses what is in memory, and rows that
come in a few at a time are kept in twice the space."""

_FATAL: Final = (duckdb.FatalException, duckdb.InternalException)
_FAULTS: Final = (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException, *_FATAL)


class Ledger:
    """An open ledger. Readers take cursors as they like; writers take turns.

    All times inside are UTC without a zone.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        clock: Clock,
        *,
        is_read_only: bool = False,
        memory: int | None = None,
    ) -> None:
        """Use `Ledger.open` or `Ledger.open_read_only`."""
        self._connection = connection
        self._memory = memory
        self._is_read_only = is_read_only
        self._is_useless = False
        self._place = _place_of(path)
        self._opening = threading.Lock()
        self._turn = threading.RLock()
        self._checkpoints = threading.Lock()
        self.path = path
        self.clock = clock

    @classmethod
    def open(cls, path: Path, *, clock: Clock = system_clock, memory: int | None = None) -> Self:
        """Open for writing, made or upgraded first. The caller holds the lease.

        Args:
            path: the file.
            clock: tells the time.
            memory: bytes that DuckDB may use; None: four fifths of what the machine, or the container, has.

        Raises:
            LedgerError: the file is damaged, locked, or made by a newer program.
        """
        migrate(path)
        return cls(_connect(path, is_read_only=False, memory=memory), path, clock, memory=memory)

    @classmethod
    def open_read_only(cls, path: Path, *, clock: Clock = system_clock) -> Self:
        """Open for reading beside other readers.

        Raises:
            LedgerError: there is no ledger yet, a writer has it, or its schema is not that of this program.
        """
        connection = _connect(path, is_read_only=True)
        try:
            require_current(connection, path)
        except LedgerError:
            connection.close()
            raise
        return cls(connection, path, clock, is_read_only=True)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one question; use it in one thread.

        Raises:
            LedgerError: the file is damaged where the question reads it, or disk or memory do not suffice.
        """
        try:
            with self._usable().cursor() as cursor:
                yield cursor
        except _FAULTS as error:
            self._is_useless |= isinstance(error, _FATAL)
            raise LedgerError(f"The ledger {self.path} cannot be used: {error} {advice(error)}") from error

    @contextmanager
    def at_one_moment(self) -> Iterator["Ledger"]:
        """A ledger for several questions, one after the other, which all find what was committed at the first."""
        with self.cursor() as cursor, transaction(cursor):
            yield _Moment(cursor, self.path, self.clock, is_read_only=True)

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
        """Write everything committed into the file itself. Not inside a turn: it may have to wait for a copy.

        Spool segments may go only when this was done after they were committed.

        Raises:
            LedgerError: somebody moved or removed the file, so that all that is written is lost at the end.
        """
        with self._checkpoints, self._turn, self.cursor() as cursor:
            cursor.execute("checkpoint")
        if _place_of(self.path) != self._place:
            raise LedgerError(
                f"The ledger {self.path} was moved or removed while it was open. Stop this program, put the file "
                "back or run monitor ledger restore, and start it again: the spool is kept until then."
            )

    @contextmanager
    def held_still(self) -> Iterator[int]:
        """The first bytes of the file, as many as this gives, stay a whole ledger to the end of the block.

        Writers go on meanwhile: DuckDB overwrites nothing that its last checkpoint has, and what they commit goes to
        the write-ahead log.
        """
        with self._checkpoints:
            with self._turn, self.cursor() as cursor:
                cursor.execute(f"set global checkpoint_threshold = '{_NEVER}'")
                cursor.execute("checkpoint")
                size = self.path.stat().st_size
            try:
                yield size
            finally:
                with self.cursor() as cursor:
                    cursor.execute("reset global checkpoint_threshold")

    @contextmanager
    def leaving_a_core(self) -> Iterator[None]:
        """Until the end of the block DuckDB leaves one core to what this process computes beside it.

        Threads that have to share a core with something else cost it twice: they wait for each other.
        """
        with self.cursor() as cursor:
            (threads,) = cursor.execute("select current_setting('threads')").fetchone() or (1,)
            cursor.execute(f"set global threads = {max(int(threads) - 1, 1)}")
        try:
            yield
        finally:
            with self.cursor() as cursor:
                cursor.execute(f"set global threads = {int(threads)}")

    def _usable(self) -> duckdb.DuckDBPyConnection:
        """The connection, opened again where a fault has made it useless.

        After a checkpoint that fails, as on a full disk, DuckDB answers nothing more until all have closed the file;
        opened again it is what was committed.
        """
        with self._opening:
            if self._is_useless:
                self._connection.close()
                self._connection = _connect(self.path, is_read_only=self._is_read_only, memory=self._memory)
                self._place = _place_of(self.path)
                self._is_useless = False
            return self._connection

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        with self._checkpoints, self._turn:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Moment(Ledger):
    """A ledger whose connection is a cursor in a transaction."""

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self._connection


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


def named_rows(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What a statement has found, by the names of its columns."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _place_of(path: Path) -> tuple[int, int] | None:
    """Tells a file from another one of its name; None where there is none."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def _connect(path: Path, *, is_read_only: bool, memory: int | None = None) -> duckdb.DuckDBPyConnection:
    limit = {} if memory is None else {"memory_limit": f"{memory}B"}
    try:
        # Nothing here reads other files or loads extensions; what cannot be done cannot be misused.
        connection = duckdb.connect(
            str(path),
            read_only=is_read_only,
            config={
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "checkpoint_threshold": _LARGEST_LOG,
                **limit,
            },
        )
        # Answers do not depend on where the machine stands.
        try:
            connection.execute("set global TimeZone = 'UTC'")
        except duckdb.Error:
            connection.close()
            raise
    except duckdb.Error as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error} {advice(error)}") from error
    return connection
