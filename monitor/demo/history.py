"""Writes a past for the demo: some weeks of records of a company that never was."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from random import Random
from typing import Final

from monitor.demo.cast import SERVICES
from monitor.demo.past import Past
from monitor.demo.rates import Rates, dollars
from monitor.demo.timetable import Timetable
from monitor.spool.writer import SpoolWriter

_NO_SECRET: Final = b"demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySummary:
    """What a history holds.

    Attributes:
        now: its end.
        today: the day of `now` in the company's time zone; days are those of this zone.
        calls, requests: how many there are.
        spike_day: the day on which one feature cost many times more than usual.
        burst_day: the day on which one service was refused for hours.
        spend: list cost in USD by team and day, of all requests that have a price.
    """

    now: datetime
    today: date
    calls: int
    requests: int
    spike_day: date
    burst_day: date
    spend: Mapping[tuple[str, date], Decimal]

    def spent(self, team: str, *, since: date) -> Decimal:
        """USD a team spent from the day `since` until `now`."""
        return sum((amount for (name, day), amount in self.spend.items() if name == team and day >= since), Decimal(0))


def write_history(
    writer: SpoolWriter,
    *,
    now: datetime,
    days: int = 30,
    seed: int,
    zone: tzinfo = UTC,
    secret: bytes = _NO_SECRET,
) -> HistorySummary:
    """Append the records of `days` whole days and of the day of `now`, in the order of their calls.

    Args:
        writer: takes the end lines; what it drops is its own to count.
        now: nothing ends after it; aware.
        days: whole days before the day of `now`.
        seed: the same seed, `now` and `days` make the same records.
        zone: whose days and hours the rhythm follows.
        secret: the install secret, so that keys have the same fingerprints as in live calls.
    """
    random = Random(f"history {seed}")  # noqa: S311 - nothing secret
    timetable = Timetable(now=now, days=days, zone=zone, random=random)
    past = Past(random, rates=Rates(now), secret=secret)
    spend: Counter[tuple[str, date]] = Counter()
    calls = requests = 0
    end = now.timestamp()
    for day in timetable.days:
        for arrival in timetable.arrivals(day):
            service = SERVICES[arrival.service]
            feature = service.features[arrival.feature]
            made = past.call(
                service, feature, at=arrival.at, is_long=arrival.is_long, refusal_rate=arrival.refusal_rate
            )
            calls += 1
            for record, cost in made:
                if record.started_at.timestamp() + (record.duration or 0.0) > end:
                    break
                writer.end(record)
                requests += 1
                spend[service.team, day] += cost
    return HistorySummary(
        now=now,
        today=timetable.today,
        calls=calls,
        requests=requests,
        spike_day=timetable.spike_day,
        burst_day=timetable.burst_day,
        spend={key: dollars(amount) for key, amount in spend.items()},
    )
