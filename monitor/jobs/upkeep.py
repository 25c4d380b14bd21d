"""Keeps the ledger compact and lets go of spool segments that are safe in it."""

import logging
from pathlib import Path

from monitor.ledger.ledger import Ledger
from monitor.ledger.retire import compact_positions, retire_empty_files, retire_segments
from monitor.ledger.rollup import compact_rollup

_EMPTY_FOR = 3_600.0

log = logging.getLogger(__name__)


def compact(ledger: Ledger, spool: Path, *, keep: float) -> None:
    """Merge rollup rows and positions, checkpoint, and delete segments that are `keep` seconds past their use."""
    merged = compact_rollup(ledger)
    compact_positions(ledger)
    ledger.checkpoint()
    gone = retire_segments(ledger, spool, keep=keep)
    gone += retire_empty_files(spool, older_than=_EMPTY_FOR, now=ledger.clock().timestamp())
    if merged or gone:
        log.info("Compaction merged %d rollup rows and let go of %d spool segments.", merged, len(gone))
