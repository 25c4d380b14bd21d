"""A note beside a ledger, written before a recovery changes anything: who is killed in it can go on, and tell the loss.

It is taken away when everything was told.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from monitor.errors import LedgerError
from monitor.ledger.copying import sync_directory
from monitor.ledger.examine import Standing

Base = Literal["whole", "checkpoint", "backup", "nothing"]

_FORMAT: Final = 1
_MODE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A recovery that was begun, and has not told what is lost.

    `before` is what could be read of the ledger as it was found, None where there was none; `base` is what it goes on
    from, None while that is open, and `now` what that holds. Of the `stamps` of files set aside the last one is in use.
    """

    format: int = _FORMAT
    command: Literal["recover", "restore"]
    begun_at: datetime
    stamps: tuple[str, ...]
    before: Standing | None
    copy: str | None
    base: Base | None = None
    now: Standing | None = None
    had_file: bool = False
    """Whether there is a file to set aside under the last stamp before the base is in its place."""
    is_in_place: bool = False

    @property
    def words(self) -> str:
        """What to type to finish it."""
        source = f" {Path(self.copy).parent}" if self.copy else ""
        return f"monitor ledger restore{source}" if self.command == "restore" else "monitor ledger recover"


def read_unfinished(path: Path) -> Unfinished | None:
    """The recovery of this ledger that was begun and not finished; None where there is none.

    Raises:
        LedgerError: there is one, and this program cannot read it.
    """
    note = _note_of(path)
    try:
        found = msgspec.json.decode(note.read_bytes(), type=Unfinished)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise LedgerError(
            f"A recovery of the ledger {path} was begun, and what {note} says of it cannot be read: {error}. "
            "Upgrade openai-monitor; if that does not help, move the file elsewhere and run: monitor ledger recover"
        ) from error
    if found.format > _FORMAT:
        raise LedgerError(
            f"A newer version of openai-monitor has begun a recovery of the ledger {path}. Upgrade openai-monitor."
        )
    return found


def refuse_unfinished(path: Path) -> None:
    """Refuse a ledger whose recovery is not finished: who works with it would hide what is lost.

    Raises:
        LedgerError: with the command that finishes it.
    """
    found = read_unfinished(path)
    if found is not None:
        raise LedgerError(
            f"A recovery of the ledger {path} was begun at {found.begun_at:%Y-%m-%d %H:%M:%S} UTC and is not finished. "
            f"To finish it, run: {found.words}"
        )


def keep_unfinished(path: Path, found: Unfinished) -> None:
    """Write it to the disk: all of it, or what was there stays.

    Raises:
        OSError: the disk takes no more.
    """
    note = _note_of(path)
    draft = note.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with draft.open("xb") as file:
        draft.chmod(_MODE)
        file.write(msgspec.json.encode(found))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(note)
    sync_directory(path.parent)


def finish_recovery(path: Path) -> None:
    """Forget the recovery, as everything was told, with the drafts that it or one before it left.

    Raises:
        LedgerError: the file system refuses.
    """
    try:
        for draft in path.parent.glob(f".{path.name}.*.unfinished*"):
            draft.unlink(missing_ok=True)
        _note_of(path).unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise LedgerError(f"The recovery of the ledger {path} is done, but its note stays: {error}.") from error


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.recovering.json")
