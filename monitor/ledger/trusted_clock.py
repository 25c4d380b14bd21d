"""Whether the clock can be trusted with deleting: one that is suddenly days ahead cannot, until it has run on so long.

What was found last is a row of `forgotten`: until when the clock is trusted, and since when it has gone without a leap.
"""

from datetime import datetime, timedelta
from typing import Final

import duckdb

from monitor.ledger.ledger import Ledger

CLOCK: Final = "clock"
"""The kind of its row in `forgotten`; nothing was let go of."""

_FURTHEST: Final = timedelta(days=3)
"""How far the clock may be ahead of when it was last looked at: a weekend for which a machine is off."""
_PROVED_AFTER: Final = timedelta(days=1)
"""A clock that is further ahead is right if it still says so then: a machine was off for long."""
_PROVED_UNTIL: Final = timedelta(days=40)
"""After longer it has leapt again; until then a machine may be on for an hour a month."""
_NO_TIME: Final = timedelta()


def is_trusted(ledger: Ledger) -> bool:
    """Whether the ledger's clock goes on from where it was; it notes that somebody asked, so ask at least each hour."""
    now = ledger.clock().replace(tzinfo=None)
    with ledger.writing() as cursor:
        until, since = _known(cursor) or (now, now)
        has_leapt = since > until + _FURTHEST
        gone_on = now - since
        if now <= until + _FURTHEST or (has_leapt and _PROVED_AFTER <= gone_on <= _PROVED_UNTIL):
            until = since = now
        elif not (has_leapt and _NO_TIME <= gone_on < _PROVED_AFTER):
            since = now
        cursor.execute("delete from forgotten where kind = ?", [CLOCK])
        cursor.execute("insert into forgotten values (?, ?, 0, ?)", [CLOCK, until, since])
    return until == now


def _known(cursor: duckdb.DuckDBPyConnection) -> tuple[datetime, datetime] | None:
    """What was found last; before the first time, when the spool was read last but on the newest day."""
    found = cursor.execute("select before, done_at from forgotten where kind = ?", [CLOCK]).fetchone()
    if found is None:
        (read_at,) = cursor.execute(
            """
            select coalesce(max(drained_at) filter (drained_at <= newest - interval 1 day), min(drained_at))
            from (select drained_at, max(drained_at) over () as newest from checkpoints)
            """
        ).fetchone() or (None,)
        found = None if read_at is None else (read_at, read_at)
    return found
