"""The whole campaign: replay watched, drain into a real ledger, replay unwatched, compare."""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.capture.wrap import HEALTH
from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.installed import installed_price_book
from monitor.settings import Settings
from tests.cassettes.compare import USAGE, Mismatch, Stored, explanation_of, mismatches
from tests.cassettes.material import Library, Row
from tests.cassettes.replay import Told, replay, unwatched, wrapped
from tests.cassettes.server import LoopbackServer


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What a replay has brought.

    `stored` are the rows of the ledger by interaction, `lines` those of the lines of batches by their file.
    `watched` and `plain` are what the callers of the wrapped and the unwrapped clients got; the second holds only
    part of the rows. `faults` is the number of faults that the recorder caught in itself.
    """

    rows: Sequence[Row]
    stored: dict[str, list[Stored]]
    lines: dict[str, list[Stored]]
    watched: dict[str, Told]
    plain: dict[str, Told]
    quarantined: int
    faults: int
    found: Sequence[Mismatch]

    @property
    def unexplained(self) -> list[Mismatch]:
        return [found for found in self.found if explanation_of(found) is None]

    @functools.cached_property
    def explained_rows(self) -> set[str]:
        return {found.row.id for found in self.found if explanation_of(found) is not None}

    def table(self) -> str:
        """Counts for each kind of request."""
        heads = ("kind", "rows", "recorded", "usage equal", "unpriced", "explained")
        counts = {head: Counter(row.kind for row in self.rows if self._counts(head, row)) for head in heads[1:]}
        kinds = sorted(counts["rows"])
        lines = [[kind, *(str(counts[head][kind]) for head in heads[1:])] for kind in kinds]
        total = ["all", *(str(counts[head].total()) for head in heads[1:])]
        return "\n".join(_line(cells) for cells in (list(heads), *lines, total))

    def _counts(self, head: str, row: Row) -> bool:
        stored = self.stored.get(row.id, [])
        if head == "recorded":
            return len(stored) == 1
        if head == "usage equal":
            wrong = {found.field for found in self.found if found.row.id == row.id}
            return bool(stored) and not wrong & {*USAGE, "usage_source"}
        if head == "unpriced":
            return any(request["pricing_state"] == "unpriced" for request in stored)
        return head == "rows" or row.id in self.explained_rows


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return f"{first:<26}" + "".join(f"{cell:>13}" for cell in others)


def run_campaign(rows: Sequence[Row], directory: Path) -> Campaign:
    """Do it all in a data directory of its own."""
    home = Home(directory)
    before = HEALTH.counts().get("internal_errors_total", 0)
    with LoopbackServer(Library(rows).answer) as server:
        watched = replay(rows, server.address, wrapped(Settings(home=home.path)))
        plain = replay([row for row in rows if _is_compared(row)], server.address, unwatched)
    requests, quarantined = _drain(home)
    is_line = [request["custom_id"] is not None for request in requests]
    stored = _grouped(requests, is_line, wanted=False, key=lambda request: request["tags"]["cassette"])
    return Campaign(
        rows=rows,
        stored=stored,
        lines=_grouped(requests, is_line, wanted=True, key=lambda request: request["file_id"]),
        watched=watched,
        plain=plain,
        quarantined=quarantined,
        faults=HEALTH.counts().get("internal_errors_total", 0) - before,
        found=[found for row in rows for request in stored.get(row.id, []) for found in mismatches(row, request)],
    )


def _is_compared(row: Row) -> bool:
    """All streams and errors, and some of the others: comparing all would take twice as long."""
    return row.is_event_stream or row.status >= 400 or int(row.id[-8:], 16) % 8 == 0


def _grouped(
    requests: Sequence[Stored], is_line: Sequence[bool], *, wanted: bool, key: Callable[[Stored], str]
) -> dict[str, list[Stored]]:
    groups: dict[str, list[Stored]] = {}
    for request, has_name in zip(requests, is_line, strict=True):
        if has_name is wanted:
            groups.setdefault(key(request), []).append(request)
    return groups


def _drain(home: Home) -> tuple[list[Stored], int]:
    with Ledger.open(home.ledger) as ledger:
        Drain(ledger, home.spool, installed_price_book(), Health()).run()
        with ledger.cursor() as cursor:
            cursor.execute("select * from requests")
            names = [column[0] for column in cursor.description or ()]
            stored = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
            quarantined = cursor.execute("select count(*) from quarantine").fetchall()[0][0]
    return stored, quarantined
