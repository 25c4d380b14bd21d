"""Sets aside what is damaged of a ledger and puts in its place what there is: its last checkpoint, a backup, nothing.

The rest comes from the spool, whose segments are kept until a checkpoint has what they held.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from monitor.clock import Clock
from monitor.errors import LedgerError
from monitor.ledger.aside import set_aside, stamp_of, write_ahead_logs
from monitor.ledger.copying import copy_file, sync_directory
from monitor.ledger.examine import Standing, examine
from monitor.ledger.migrate import other_cause, refuse_newer

Base = Literal["whole", "checkpoint", "backup", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found and what is there now, before the spool is read again.

    `base` says what the ledger goes on from: it was whole and nothing was done, its last checkpoint, a backup, or
    nothing. `before` is what could be read of it as it was found.
    """

    base: Base
    before: Standing
    aside: tuple[Path, ...]
    now: Standing


def recover(path: Path, clock: Clock, *, backup: Path | None = None) -> Recovery:
    """Make a ledger usable that is damaged. The caller holds the lease, and drains the spool afterwards.

    Args:
        path: of the ledger.
        clock: names the files that are set aside.
        backup: a ledger to go on from where the file itself is damaged; None where there is none.

    Raises:
        LedgerError: there is no ledger, something else than damage keeps it from being read, or the file system
            refuses.
    """
    if not path.exists():
        raise LedgerError(f"There is no ledger {path} to recover. To bring one back: monitor ledger restore BACKUP")
    stamp = stamp_of(clock())
    before = examine(path)
    refuse_newer(path, before.revision)
    if before.fault is None:
        return Recovery(base="whole", before=before, aside=(), now=before)
    if words := other_cause(before.fault):
        raise LedgerError(f"The ledger {path} cannot be read, but need not be damaged: {before.fault} {words}")
    try:
        aside = [set_aside(log, stamp, of=path) for log in write_ahead_logs(path)]
        now = examine(path) if aside else before
        if now.fault is None:
            return Recovery(base="checkpoint", before=before, aside=tuple(aside), now=now)
        # The file may tell more without its log than with it.
        before = before if before.places is not None else now
        if backup is None:
            aside.append(set_aside(path, stamp))
            sync_directory(path.parent)
            return Recovery(base="nothing", before=before, aside=tuple(aside), now=Standing(requests=0, places=()))
        aside += replace_ledger(path, backup, stamp)
    except OSError as error:
        raise LedgerError(f"The ledger {path} cannot be recovered: {error}.") from error
    return Recovery(base="backup", before=before, aside=tuple(aside), now=examine(path))


def replace_ledger(path: Path, copy: Path, stamp: str) -> list[Path]:
    """Put a copy of a ledger in the place of a ledger, which is set aside; returns the names of its files now.

    Whoever is killed in the middle leaves a ledger that opens: the present one at its last checkpoint, or the copy.

    Raises:
        LedgerError: the copy cannot be made; the ledger is as it was.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        copy_file(copy, draft)
        aside = [set_aside(log, stamp, of=path) for log in write_ahead_logs(path)]
        if path.exists():
            aside.append(_kept(path, stamp))
        draft.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise LedgerError(f"The ledger {path} cannot be replaced: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return aside


def _kept(path: Path, stamp: str) -> Path:
    """A second name for the file, so that there is one under the first at every moment."""
    target = path.with_name(f"{path.name}.aside-{stamp}")
    try:
        os.link(path, target)
    except OSError:
        # Not every file system has second names.
        return set_aside(path, stamp)
    return target
