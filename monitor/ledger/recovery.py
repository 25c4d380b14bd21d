"""Sets aside what is damaged of a ledger and puts in its place what there is: its last checkpoint, a backup, nothing.

The rest comes from the spool, whose segments are kept until a checkpoint has what they held.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from monitor.clock import Clock
from monitor.errors import LedgerError
from monitor.ledger.aside import set_aside, stamp_of, write_ahead_logs
from monitor.ledger.copying import sync_directory
from monitor.ledger.examine import Standing, examine
from monitor.ledger.migrate import other_cause, refuse_newer
from monitor.ledger.replacing import draft_copy, files_aside, put_in_place
from monitor.ledger.unfinished import Base, Unfinished, keep_unfinished, read_unfinished

_EMPTY: Final = Standing(requests=0, places=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found and what is there now, before the spool is read again.

    `base` says what the ledger goes on from: it was whole and nothing was done, its last checkpoint, a backup, or
    nothing. `before` is what could be read of it as it was found, None where there was none. `begun_at` is None unless
    an earlier recovery was broken off that this one has gone on with.
    """

    base: Base
    before: Standing | None
    aside: tuple[Path, ...]
    now: Standing
    begun_at: datetime | None = None


def recover(path: Path, clock: Clock, *, backup: Path | None = None) -> Recovery:
    """Make a ledger usable that is damaged or gone. The caller holds the lease, and drains the spool afterwards.

    Unless the ledger was whole, a note of it stays until the caller has told everything: `finish_recovery`.

    Args:
        path: of the ledger.
        clock: names the files that are set aside.
        backup: a ledger to go on from where the file itself is damaged; None where there is none.

    Raises:
        LedgerError: something else than damage keeps it from being read, the backup cannot be used, or the file system
            refuses.
    """
    begun = read_unfinished(path)
    moment = clock()
    if begun is None:
        before = _look(path) if path.exists() else None
        if before is not None and before.fault is None:
            return Recovery(base="whole", before=before, aside=(), now=before)
        note = Unfinished(
            command="recover", begun_at=moment, stamps=(stamp_of(moment),), before=before, copy=_text(backup)
        )
    else:
        note = _with_backup(go_on(path, begun, moment), backup, moment)
    done = in_place(path, carry_out(path, note))
    return Recovery(
        base=done.base or "nothing",
        before=done.before,
        aside=tuple(files_aside(path, done.stamps)),
        now=done.now or _EMPTY,
        begun_at=begun.begun_at if begun else None,
    )


def carry_out(path: Path, note: Unfinished) -> Unfinished:
    """Bring the ledger to the base of a recovery, each step after what it needs is on the disk; returns the note.

    Raises:
        LedgerError: as `recover`.
    """
    try:
        if note.base is None:
            keep_unfinished(path, note)
            note = _decided(path, note)
        if note.now is None:
            note = replace(note, now=_whole(draft_copy(path, note)), had_file=path.exists())
        keep_unfinished(path, note)
        if not note.is_in_place:
            put_in_place(path, note)
    except OSError as error:
        raise LedgerError(f"The ledger {path} cannot be recovered: {error}.") from error
    return note


def found_before(path: Path, begun: Unfinished | None) -> Standing | None:
    """What there was before anything was changed, where a recovery is begun afresh; None where there was no ledger."""
    if begun is None:
        return examine(path) if path.exists() else None
    if begun.base in ("backup", "nothing") or (begun.before is not None and begun.before.places is not None):
        return begun.before
    # At its checkpoint it has lost nothing, and the rest is on the spool.
    return begun.now or (examine(path) if path.exists() else None)


def go_on(path: Path, begun: Unfinished, moment: datetime) -> Unfinished:
    """The note of a recovery that was broken off, as it has to go on: what is damaged since is put in place again.

    Raises:
        LedgerError: something else than damage keeps the ledger from being read.
    """
    if not begun.is_in_place or not path.exists() or _look(path).fault is None:
        return begun
    stamps = one_more(begun.stamps, moment)
    if begun.base == "checkpoint":
        before = found_before(path, begun)
        return replace(begun, stamps=stamps, before=before, base=None, now=None, is_in_place=False)
    now = None if begun.base == "backup" else begun.now
    return replace(begun, stamps=stamps, now=now, had_file=True, is_in_place=False)


def one_more(stamps: tuple[str, ...], moment: datetime) -> tuple[str, ...]:
    """The stamps of a recovery that sets files aside once more."""
    return tuple(dict.fromkeys((*stamps, stamp_of(moment))))


def in_place(path: Path, note: Unfinished) -> Unfinished:
    """Note that the base is in its place, and whatever belongs to it.

    Raises:
        LedgerError: the disk takes no more.
    """
    placed = replace(note, is_in_place=True)
    try:
        keep_unfinished(path, placed)
    except OSError as error:
        raise LedgerError(f"The ledger {path} cannot be recovered: {error}.") from error
    return placed


def _with_backup(begun: Unfinished, backup: Path | None, moment: datetime) -> Unfinished:
    """The same, going on from a backup that was named now."""
    if backup is None or _text(backup) == begun.copy or begun.base == "checkpoint":
        return begun
    if begun.base is None:
        return replace(begun, copy=_text(backup))
    stamps = one_more(begun.stamps, moment)
    return replace(begun, stamps=stamps, copy=_text(backup), base="backup", now=None, is_in_place=False)


def _decided(path: Path, note: Unfinished) -> Unfinished:
    """Set the logs aside, and see what is left to go on from."""
    for log in write_ahead_logs(path):
        set_aside(log, note.stamps[-1], of=path)
    sync_directory(path.parent)
    before = note.before
    if path.exists():
        is_as_found = len(note.stamps) == 1 and not files_aside(path, note.stamps)
        now = before if before is not None and is_as_found else _look(path)
        if now.fault is None:
            return replace(note, base="checkpoint", now=now)
        # The file may tell more without its log than with it.
        before = before if before is not None and before.places is not None else now
    if note.copy is not None:
        return replace(note, before=before, base="backup", had_file=path.exists())
    return replace(note, before=before, base="nothing", now=_EMPTY, had_file=path.exists())


def _look(path: Path) -> Standing:
    """All of a ledger, unless it is something else than damage that keeps it from being read."""
    found = examine(path)
    refuse_newer(path, found.revision)
    if found.fault is not None and (words := other_cause(found.fault)):
        raise LedgerError(f"The ledger {path} cannot be read, but need not be damaged: {found.fault} {words}")
    return found


def _whole(copy: Path) -> Standing:
    found = examine(copy)
    if found.fault is not None:
        raise LedgerError(f"The copy {copy} of the backup cannot be read: {found.fault} Name another backup.")
    return found


def _text(backup: Path | None) -> str | None:
    return None if backup is None else str(backup)
