"""Keeps the ledger compact and lets go of spool segments that are safe in it."""

import logging
from pathlib import Path

from monitor.ledger.compact import compact_rollup
from monitor.ledger.digests import digest
from monitor.ledger.ledger import Ledger
from monitor.ledger.retire import compact_positions, retire_empty_files, retire_segments
from monitor.spool.room import size_of_all

_EMPTY_FOR = 3_600.0

log = logging.getLogger(__name__)


def compact(ledger: Ledger, spool: Path, *, keep: float, limit: int | None = None) -> None:
    """Merge rollup rows and positions, make digests, checkpoint, and delete segments `keep` seconds past their use.

    Args:
        ledger: what the segments are drained into.
        spool: their directory.
        keep: seconds.
        limit: bytes of the directory beyond which writers refuse lines, None for no limit. From half of it on,
            segments that are not needed go at once: what is safe in the ledger must not keep out what is new.
    """
    merged = compact_rollup(ledger)
    digest(ledger)
    compact_positions(ledger)
    ledger.checkpoint()
    used = size_of_all(spool)
    gone = retire_segments(ledger, spool, keep=0.0 if limit is not None and 2 * used > limit else keep)
    gone += retire_empty_files(spool, older_than=_EMPTY_FOR, now=ledger.clock().timestamp())
    if merged or gone:
        log.info("Compaction merged %d rollup rows and let go of %d spool segments.", merged, len(gone))
