"""Backups: a directory with a copy of the ledger, one of the control store, and what they must be."""

import glob
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from monitor.clock import Clock
from monitor.control.copying import check_control, copy_control, put_back_control
from monitor.errors import ControlError, LedgerError
from monitor.home import Home
from monitor.ledger.aside import set_aside
from monitor.ledger.copying import checksum_of, copy_file, copy_ledger, sync_directory
from monitor.ledger.examine import Standing, examine
from monitor.ledger.ledger import Ledger
from monitor.ledger.migrate import refuse_newer
from monitor.ledger.recovery import carry_out, found_before, go_on, in_place, one_more
from monitor.ledger.replacing import files_aside
from monitor.ledger.unfinished import Unfinished, read_unfinished

_FORMAT: Final = 1
_LEDGER: Final = "ledger.duckdb"
_CONTROL: Final = "control.sqlite"
_FACTS: Final = "backup.json"
_UNFINISHED: Final = ".unfinished"
_DRAFTS_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What stands in a backup's `backup.json`. Checksums are SHA-256; `made_at` is aware UTC."""

    format: int
    made_at: datetime
    ledger_revision: str | None
    ledger_bytes: int
    ledger_sha256: str
    requests: int | None
    control_revision: str
    control_bytes: int
    control_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What `restore` did: files set aside, what the ledger held before as far as it could be read, and holds now.

    `before` is None where there was no ledger; `begun_at` is None unless an earlier one was broken off.
    """

    backup: Backup
    aside: tuple[Path, ...]
    before: Standing | None
    now: Standing
    begun_at: datetime | None = None


def back_up(ledger: Ledger, home: Home, target: Path, clock: Clock) -> Backup:
    """Copy both stores into a new directory while they are in use; it is there whole or not at all.

    The control store is copied last: what it says was sent was sent.

    Raises:
        LedgerError: there is something at the target, it cannot be written, or a copy does not read well.
        ControlError: the control store cannot be copied.
    """
    if target.exists() or target.is_symlink():
        raise LedgerError(f"{target} exists already, and a backup overwrites nothing: name another place.")
    try:
        _clear_drafts(target, clock())
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_UNFINISHED, dir=target.parent))
    except OSError as error:
        raise LedgerError(f"The backup {target} cannot be made: {error}.") from error
    try:
        standing = copy_ledger(ledger, draft / _LEDGER)
        revision = copy_control(home.control, draft / _CONTROL)
        backup = _facts(draft, standing, revision, clock())
        _write(draft / _FACTS, msgspec.json.format(msgspec.json.encode(backup)))
        sync_directory(draft)
        # Onto a directory that is not empty, or a file, it fails: nothing is overwritten.
        draft.rename(target)
        sync_directory(target.parent)
    except OSError as error:
        raise LedgerError(f"The backup {target} cannot be made: {error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return backup


def read_backup(source: Path) -> Backup:
    """What a backup says of itself, after its files were compared with it and its schemas with this program.

    Raises:
        LedgerError: it is no backup, is damaged, or a newer program made it.
        ControlError: its control store is damaged, or a newer program made it.
    """
    try:
        backup = msgspec.json.decode((source / _FACTS).read_bytes(), type=Backup)
        found = tuple(((source / name).stat().st_size, checksum_of(source / name)) for name in (_LEDGER, _CONTROL))
    except (OSError, msgspec.MsgspecError) as error:
        raise LedgerError(f"{source} is no backup that this program can read: {error}.") from error
    if backup.format > _FORMAT:
        raise LedgerError(f"The backup {source} was made by a newer version of openai-monitor. Upgrade openai-monitor.")
    stated = (backup.ledger_bytes, backup.ledger_sha256), (backup.control_bytes, backup.control_sha256)
    for name, is_so, is_said in zip((_LEDGER, _CONTROL), found, stated, strict=True):
        if is_so != is_said:
            raise LedgerError(
                f"{source / name} is not what was backed up: it has {is_so[0]:,} bytes and the checksum {is_so[1]}, "
                f"and {_FACTS} says {is_said[0]:,} and {is_said[1]}. Take another backup."
            )
    refuse_newer(source / _LEDGER, backup.ledger_revision)
    check_control(source / _CONTROL)
    return backup


def ledger_of(source: Path) -> Path:
    """The ledger's copy in a backup."""
    return source / _LEDGER


def restore(home: Home, source: Path, clock: Clock) -> Restored:
    """Put both stores of a backup in the place of the present ones, which are set aside. The caller holds the lease.

    A note of it stays until the caller has told everything: `finish_recovery`.

    Raises:
        LedgerError: the backup cannot be used; nothing was changed.
        ControlError: its control store cannot be used.
    """
    backup = read_backup(source)
    begun = read_unfinished(home.ledger)
    note = carry_out(home.ledger, _note(home.ledger, ledger_of(source), begun, clock()))
    if not note.is_in_place:
        _replace_control(home.control, source / _CONTROL, note.stamps[-1])
        _clear_control_drafts(home.control)
        note = in_place(home.ledger, note)
    aside = [file for store in (home.ledger, home.control) for file in files_aside(store, note.stamps)]
    return Restored(
        backup=backup,
        aside=tuple(aside),
        before=note.before,
        now=note.now or examine(home.ledger),
        begun_at=begun.begun_at if begun else None,
    )


def _note(path: Path, copy: Path, begun: Unfinished | None, moment: datetime) -> Unfinished:
    """Of this restoring, or of the same one that was broken off."""
    if begun is not None and (begun.command, begun.copy) == ("restore", str(copy)):
        return go_on(path, begun, moment)
    return Unfinished(
        command="restore",
        begun_at=moment,
        stamps=one_more(begun.stamps if begun else (), moment),
        before=found_before(path, begun),
        copy=str(copy),
        base="backup",
    )


def _replace_control(path: Path, copy: Path, stamp: str) -> None:
    """Set the control store aside and put the copy in its place; a second time changes nothing that is aside."""
    aside = path.with_name(f"{path.name}.aside-{stamp}")
    if path.exists() and not aside.exists() and checksum_of(path) != checksum_of(copy):
        _set_control_aside(path, aside, stamp)
    if path.exists():
        put_back_control(copy, path)
        return
    _clear_control_drafts(path)
    draft = _control_draft(path, stamp)
    copy_file(copy, draft)
    draft.replace(path)
    sync_directory(path.parent)


def _set_control_aside(path: Path, aside: Path, stamp: str) -> None:
    _clear_control_drafts(path)
    draft = _control_draft(path, stamp)
    try:
        copy_control(path, draft)
        draft.replace(aside)
    except ControlError:
        # It cannot be copied, so it is moved as it is, with what belongs to it, and that first: it would be taken for
        # the log of what comes in its place.
        for log in (path.with_name(path.name + end) for end in ("-wal", "-shm")):
            if log.exists():
                set_aside(log, stamp, of=path)
        set_aside(path, stamp)
    finally:
        draft.unlink(missing_ok=True)


def _control_draft(path: Path, stamp: str) -> Path:
    return path.with_name(f".{path.name}.{stamp}{_UNFINISHED}")


def _clear_control_drafts(path: Path) -> None:
    """Delete what was broken off, with what SQLite has put beside it."""
    for draft in path.parent.glob(f".{path.name}.*{_UNFINISHED}*"):
        draft.unlink(missing_ok=True)


def _clear_drafts(target: Path, now: datetime) -> None:
    """Delete what backups to the same place left behind that were killed long ago."""
    for draft in target.parent.glob(f".{glob.escape(target.name)}.*{_UNFINISHED}"):
        if draft.lstat().st_mtime < (now - _DRAFTS_KEPT).timestamp():
            shutil.rmtree(draft, ignore_errors=True)


def _facts(draft: Path, standing: Standing, control_revision: str, made_at: datetime) -> Backup:
    ledger, control = draft / _LEDGER, draft / _CONTROL
    return Backup(
        format=_FORMAT,
        made_at=made_at,
        ledger_revision=standing.revision,
        ledger_bytes=ledger.stat().st_size,
        ledger_sha256=checksum_of(ledger),
        requests=standing.requests,
        control_revision=control_revision,
        control_bytes=control.stat().st_size,
        control_sha256=checksum_of(control),
    )


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        path.chmod(0o600)
        file.write(content)
        file.flush()
        # Without it the directory could have its name before its content.
        os.fsync(file.fileno())
