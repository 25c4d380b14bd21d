"""Deletes contents that are older than they may be."""

from datetime import timedelta
from pathlib import Path

from monitor.ledger.contents import forget_contents
from monitor.ledger.ledger import Ledger


def forget_old_contents(ledger: Ledger, directory: Path, *, days: float) -> None:
    """Delete what was kept for so many days, and the segments whose contents stand in the ledger."""
    forget_contents(ledger, directory, keep=timedelta(days=days))
