"""Puts something else in the place of a ledger, so that it can be done again from wherever it was broken off."""

import os
from collections.abc import Sequence
from pathlib import Path

from monitor.ledger.aside import set_aside, write_ahead_logs
from monitor.ledger.copying import copy_file, sync_directory
from monitor.ledger.unfinished import Unfinished


def draft_copy(path: Path, found: Unfinished) -> Path:
    """Copy what is to take the ledger's place to beside it, if that was not done; returns where it is.

    Raises:
        LedgerError: the copy cannot be made.
        OSError: the file system refuses.
    """
    draft = _draft_of(path, found)
    # While `now` is open it may be of another source.
    if draft.exists() and found.now is not None:
        return draft
    begun = draft.with_name(f"{draft.name}.copying")
    begun.unlink(missing_ok=True)
    try:
        copy_file(Path(str(found.copy)), begun)
        begun.replace(draft)
    finally:
        begun.unlink(missing_ok=True)
    return draft


def put_in_place(path: Path, found: Unfinished) -> None:
    """Set the ledger aside and put the base in its place; a second time does what is left of it.

    There is a ledger that opens under the name at every moment, where there was one and the file system has links.

    Raises:
        LedgerError: the copy cannot be made.
        OSError: the file system refuses.
    """
    if found.base == "checkpoint" or _is_replaced(path, found):
        return
    draft = draft_copy(path, found) if found.base == "backup" else None
    for log in write_ahead_logs(path):
        set_aside(log, found.stamps[-1], of=path)
    if draft is None:
        if path.exists():
            set_aside(path, found.stamps[-1])
    else:
        if path.exists():
            _name_twice(path, found.stamps[-1])
        draft.replace(path)
    sync_directory(path.parent)


def files_aside(path: Path, stamps: Sequence[str]) -> list[Path]:
    """The files of a store that were set aside under these stamps, logs before their file."""
    return [file for stamp in stamps for file in sorted(path.parent.glob(f"{path.name}.aside-{stamp}*"), reverse=True)]


def _is_replaced(path: Path, found: Unfinished) -> bool:
    """Whether the base is in the place of the ledger: killed in between, nothing else tells."""
    aside = _aside_of(path, found.stamps[-1])
    if found.base == "nothing":
        return not found.had_file or aside.exists()
    return path.exists() and (not found.had_file or (aside.exists() and not path.samefile(aside)))


def _name_twice(path: Path, stamp: str) -> None:
    """Give the file a second name, so that there is one under the first at every moment."""
    target = _aside_of(path, stamp)
    if target.exists():
        return
    try:
        os.link(path, target)
    except OSError:
        # Not every file system has second names.
        set_aside(path, stamp)


def _draft_of(path: Path, found: Unfinished) -> Path:
    return path.with_name(f".{path.name}.{found.stamps[-1]}.unfinished")


def _aside_of(path: Path, stamp: str) -> Path:
    return path.with_name(f"{path.name}.aside-{stamp}")
