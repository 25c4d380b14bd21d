"""Sets files of a ledger aside under another name. Nothing is ever deleted here."""

from datetime import datetime
from pathlib import Path


def stamp_of(moment: datetime) -> str:
    """The time as it stands in the name of a file that is set aside."""
    return f"{moment:%Y%m%dT%H%M%S%fZ}"


def write_ahead_logs(path: Path) -> list[Path]:
    """The write-ahead logs of a store's file: beside the usual one those of an interrupted checkpoint."""
    return sorted([*path.parent.glob(f"{path.name}.wal*"), *path.parent.glob(f"{path.name}-wal")])


def set_aside(path: Path, stamp: str, *, of: Path | None = None) -> Path:
    """Rename a file of a store; returns where it is now.

    Args:
        path: the store's file, or its write-ahead log.
        stamp: the same for files that belong together: DuckDB finds the log of the file then.
        of: the store's file if `path` is its log.
    """
    owner = of or path
    target = path.with_name(f"{owner.name}.aside-{stamp}{path.name.removeprefix(owner.name)}")
    path.rename(target)
    return target
