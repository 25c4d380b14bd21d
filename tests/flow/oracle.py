"""Compares what programs told with what is stored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.house import House
from monitor.ledger.ledger import Ledger
from monitor.settings import Settings

_SUMS = "sum(requests), sum(calls), sum(errors), sum(input_tokens), sum(output_tokens), sum(list_cost)"
_DIMENSIONS = "model, call_site, service, error_class"


@dataclass(frozen=True)
class Told:
    """What programs said they did: calls begun, ids of answers given, ids of answers that came back."""

    begun: int
    offered: Counter[str]
    returned: Counter[str]

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Told":
        """Read it from what they told."""
        words = [line.split() for line in lines]
        ids = {kind: Counter(word[1] for word in words if word[0] == kind) for kind in ("offered", "returned")}
        return cls(sum(word[0] == "begun" for word in words), ids["offered"], ids["returned"])


@dataclass(frozen=True)
class Stored:
    """What the ledger holds: requests by response id and by outcome, all record ids, losses."""

    responses: Counter[str]
    outcomes: Counter[str]
    records: Counter[str]
    quarantined: int
    dropped: int
    waiting: int

    @property
    def rows(self) -> int:
        """How many requests there are."""
        return self.records.total()


def drained(home: Path) -> Stored:
    """Drain all that waits, and say what is stored then; the rollup must agree with it."""
    with House(Settings(home=home)) as house:
        house.drain.run()
        check_rollup(house.ledger)
        return stored(house.ledger, waiting=house.drain.waiting())


def stored(ledger: Ledger, *, waiting: int) -> Stored:
    found = _rows(ledger, "select cast(record_id as varchar), response_id, outcome from requests")
    return Stored(
        responses=Counter(row[1] for row in found if row[1] is not None),
        outcomes=Counter(row[2] for row in found),
        records=Counter(row[0] for row in found),
        quarantined=_rows(ledger, "select count(*) from quarantine")[0][0],
        dropped=int(_rows(ledger, "select coalesce(sum(records), 0) from dropped")[0][0]),
        waiting=waiting,
    )


def check_rollup(ledger: Ledger) -> None:
    """The sums of the rollup are the sums of the requests, in each hour and for each value of the dimensions.

    Rows of nothing but zeros count too: they are left where a program that lives was taken for dead for a while.
    """
    from_rollup = _rows(ledger, f"select hour, {_DIMENSIONS}, {_SUMS} from usage_hourly group by all order by all")
    from_requests = _rows(
        ledger,
        f"""
        select date_trunc('hour', started_at) as hour, {_DIMENSIONS}, {_SUMS}
        from (
            select *, 1 as requests, case when attempt = 0 then 1 else 0 end as calls,
                case when error_class is not null then 1 else 0 end as errors
            from requests
        ) group by all order by all
        """,
    )
    assert (_beyond(from_rollup, from_requests), _beyond(from_requests, from_rollup)) == ([], [])


def survives(told: Told, stored: Stored) -> None:
    """Nothing that came back is lost, nothing is there twice, nothing is invented."""
    lost = told.returned.keys() - stored.responses.keys()
    twice = [name for name, times in (stored.responses + stored.records).items() if times > 1]
    invented = stored.responses.keys() - told.offered.keys()
    assert (sorted(lost), sorted(twice), sorted(invented)) == ([], [], [])
    # A call that is stored without a response id was begun and did not come back.
    assert stored.rows <= told.begun
    assert stored.rows - stored.responses.total() <= told.begun - told.returned.total()


def _beyond(some: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row for row in some if row not in others]


def _rows(ledger: Ledger, sql: str) -> list[tuple[Any, ...]]:
    with ledger.cursor() as cursor:
        return cursor.execute(sql).fetchall()
