"""Copies of a ledger: made beside its writers, checked before anybody relies on them."""

import hashlib
import os
from pathlib import Path
from typing import Final

from monitor.errors import LedgerError
from monitor.ledger.examine import Standing, examine
from monitor.ledger.ledger import Ledger

_PIECE: Final = 2**22
_MODE: Final = 0o600


def copy_ledger(ledger: Ledger, target: Path) -> Standing:
    """Copy an open ledger as it is at this moment, and read the copy from end to end; writers go on meanwhile.

    Raises:
        LedgerError: the copy cannot be made, or what was copied is damaged.
    """
    with ledger.held_still() as size:
        copy_file(ledger.path, target, size=size)
    standing = examine(target)
    if standing.fault is not None:
        raise LedgerError(f"The copy {target} of the ledger cannot be read: {standing.fault}")
    return standing


def copy_file(source: Path, target: Path, *, size: int | None = None) -> None:
    """Copy a file, or its first bytes, to a new one for the owner only, and put it on the disk.

    Raises:
        LedgerError: there is such a file already, the source is too short, or the disk refuses.
    """
    try:
        left = source.stat().st_size if size is None else size
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with source.open("rb") as read, os.fdopen(descriptor, "wb") as written:
            while left and (piece := read.read(min(left, _PIECE))):
                written.write(piece)
                left -= len(piece)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise LedgerError(f"{source} cannot be copied to {target}: {error}.") from error
    if left:
        raise LedgerError(f"{source} has ended {left:,} bytes too early; the copy {target} is of no use.")


def checksum_of(path: Path) -> str:
    """SHA-256 of a file as it is read back, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_directory(path: Path) -> None:
    """Put the names in a directory on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
