"""Proves that nothing got lost or counted twice between spool and requests, requests and sums, sums and reports."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from monitor.errors import LedgerError
from monitor.ledger import queries
from monitor.ledger.check_lines import RAW, STORED, line_faults, line_figures
from monitor.ledger.check_notes import note_faults, piece_faults, sighting_faults
from monitor.ledger.check_sums import Fault, day_faults, level_faults
from monitor.ledger.ledger import Ledger
from monitor.ledger.retention import raw_from
from monitor.ledger.scopes import Slice
from monitor.records import DIMENSIONS

_DAY: Final = timedelta(days=1)
_MOST_FAULTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check found. `at` is aware UTC, days are days of UTC.

    Attributes:
        at: when it began.
        figures: what was counted, in words.
        first_day: the first day whose requests were compared with the rollups; None where there were none.
        days: how many were.
        faults: what does not agree, at most a hundred; empty is well.
    """

    at: datetime
    figures: Mapping[str, int]
    first_day: datetime | None
    days: int
    faults: tuple[Fault, ...]

    @property
    def is_proof(self) -> bool:
        """Whether requests were compared, if there are any."""
        return self.days > 0 or not self.figures[RAW]


def check(ledger: Ledger, *, last_days: int | None = None) -> Check:
    """Compare all that can be compared; changes nothing, and a drain may go on meanwhile.

    Args:
        ledger: the ledger.
        last_days: compare requests, rollups and reports of so many days only, from the newest back.
    """
    at = ledger.clock()
    with ledger.at_one_moment() as still:
        with still.cursor() as cursor:
            figures = line_figures(cursor)
            faults = [*line_faults(cursor, figures), *note_faults(cursor, figures, at)]
            if last_days is None:
                faults += piece_faults(cursor)
        days = list(_days(still, last_days))
        kept_from = raw_from(still)
        faults += _report_faults(still, [day for day in days if kept_from is None or day >= kept_from])
    for day in days:
        faults += day_faults(ledger, day)
        with ledger.cursor() as cursor:
            faults += sighting_faults(cursor, day)
        if len(faults) >= _MOST_FAULTS:
            break
    if last_days is None:
        faults += level_faults(ledger)
    return Check(
        at=at,
        figures=figures,
        first_day=days[0] if days else None,
        days=len(days),
        faults=tuple(faults[:_MOST_FAULTS]),
    )


def _days(ledger: Ledger, last_days: int | None) -> Iterator[datetime]:
    """The days of which all requests are kept (ledger times); of the others the sums know more."""
    with ledger.cursor() as cursor:
        found = cursor.execute(
            """
            with kept as (
                select date_trunc('day', started_at) as day, count(*) as requests from requests group by 1
            ), summed as (
                select date_trunc('day', hour) as day, sum(requests) as requests from usage_hourly group by 1
            )
            select day from kept full join summed using (day)
            where day >= coalesce($1, timestamp '0001-01-01') or kept.requests = summed.requests
            order by 1
            """,
            [raw_from(ledger)],
        ).fetchall()
    days = [row[0] for row in found]
    yield from days if last_days is None else days[-last_days:]


def _report_faults(ledger: Ledger, days: list[datetime]) -> Iterator[Fault]:
    """Every split of a report adds up to its total, and the total to the requests."""
    if not days:
        return
    start, end = (moment.replace(tzinfo=UTC) for moment in (days[0], days[-1] + _DAY))
    span = Slice(start=start, end=end)
    whole = queries.totals(ledger, span)
    kept, cost = _stored(ledger, days)
    if (whole.requests, whole.list_cost or 0) != (kept, cost):
        yield Fault(
            what="report: requests and list cost",
            where=f"{start:%Y-%m-%d} to {end:%Y-%m-%d}",
            one=f"{whole.requests:,} and {whole.list_cost} in the report",
            other=f"{kept:,} and {cost} in the requests",
        )
    for dimension in DIMENSIONS:
        groups = [group.totals for group in queries.by_dimension(ledger, span, dimension)]
        parts = {
            "requests": (sum(group.requests for group in groups), whole.requests),
            "list cost": (sum(group.list_cost or 0 for group in groups), whole.list_cost or 0),
        }
        for measure, (split, total) in parts.items():
            if split != total:
                yield Fault(
                    what=f"report by {dimension}: {measure}",
                    where=f"{start:%Y-%m-%d} to {end:%Y-%m-%d}",
                    one=f"{split} in its rows",
                    other=f"{total} in its total",
                )


def _stored(ledger: Ledger, days: list[datetime]) -> tuple[int, Decimal]:
    with ledger.cursor() as cursor:
        found = cursor.execute(
            "select count(*), coalesce(sum(list_cost), 0) from requests where started_at >= ? and started_at < ?",
            [days[0], days[-1] + _DAY],
        ).fetchone() or (0, Decimal())
    return int(found[0]), Decimal(found[1])


def require_agreement(found: Check) -> None:
    """Refuse to go on as if nothing were the matter.

    Raises:
        LedgerError: something does not agree; the text names the first of it.
    """
    if found.faults:
        raise LedgerError(told(found))


def told(check: Check) -> str:
    """A check in one line, for the page about the quality of the data."""
    if check.faults:
        first = check.faults[0]
        more = f" and {len(check.faults) - 1:,} more" if len(check.faults) > 1 else ""
        return f"Something does not agree: {first}{more}. Run: monitor ledger check"
    if not check.is_proof:
        return "No day could be compared: of each day that has requests, others were let go of"
    requests = check.figures[STORED]
    return f"Spool, requests and sums agree: {requests:,} requests, the last {check.days:,} days compared in full"
