"""Copies of the control store: a whole one beside its users, and one put back in its place."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from monitor.control.migrate import known_revisions
from monitor.errors import ControlError

_MODE: Final = 0o600
_BUSY_TIMEOUT: Final = 10.0


def copy_control(source: Path, target: Path) -> str:
    """Copy a store as it is at this moment to a new file, and check the copy; returns its revision.

    Raises:
        ControlError: the store cannot be read, is of a newer program, or the copy cannot be made.
    """
    with _explained(source):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE))
        with closing(_connect(source)) as read, closing(_connect(target)) as written:
            read.backup(written)
            # A store alone, with no log beside it.
            written.execute("PRAGMA journal_mode = DELETE")
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return check_control(target)


def put_back_control(copy: Path, target: Path) -> None:
    """Make the store what the copy is, in one transaction: programs that have it open see the one or the other.

    Raises:
        ControlError: the copy cannot be read, or the store cannot be written.
    """
    with _explained(copy), closing(_connect(copy)) as read, closing(_connect(target)) as written:
        read.backup(written)
        written.execute("PRAGMA journal_mode = WAL")
    target.chmod(_MODE)


def check_control(path: Path) -> str:
    """Read a store from end to end, and return its revision.

    Raises:
        ControlError: it is damaged, or a newer program made it.
    """
    with _explained(path), closing(_connect(path)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise ControlError(f"The control store {path} is damaged: {found}.")
        row = connection.execute("select version_num from alembic_version").fetchone()
    revision = str(row[0]) if row else "none"
    if revision not in known_revisions():
        raise ControlError(
            f"The control store {path} has revision {revision}, which this version of openai-monitor does not know. "
            "Upgrade openai-monitor."
        )
    return revision


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_TIMEOUT)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise ControlError(f"The control store {path} cannot be copied: {error}.") from error
