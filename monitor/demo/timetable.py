"""When the calls of the made-up past were made: rhythm, growth, and two days that were not like the others."""

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from random import Random
from typing import Final, NamedTuple

from monitor.demo.answers import spread
from monitor.demo.cast import BURST_SERVICE, SERVICES, SPIKE_FEATURE

_START_LEVEL: Final = 0.74
_SPIKE_DAYS_AGO: Final = 9
_BURST_DAYS_AGO: Final = 4
_SPIKE_GROWTH: Final = 4.0
_SPIKE_LONG_SHARE: Final = 0.35
_SPIKE_HOURS: Final = range(10, 17)
_BURST_HOURS: Final = range(17, 21)
_BURST_RATE: Final = 0.3
_SATURDAY: Final = 5


class Arrival(NamedTuple):
    """A call that a service made at the second `at` of the Unix clock."""

    at: float
    service: int
    feature: int
    is_long: bool
    refusal_rate: float


class Timetable:
    """The days of the past, in the company's time zone."""

    def __init__(self, *, now: datetime, days: int, zone: tzinfo, random: Random) -> None:
        """Cover `days` whole days before the day of `now`, and that day until `now`."""
        self._now = now.timestamp()
        self._zone = zone
        self._random = random
        self.today = now.astimezone(zone).date()
        self.days = [self.today - timedelta(days=ago) for ago in range(days, -1, -1)]
        self.spike_day = _workday(self.today - timedelta(days=_SPIKE_DAYS_AGO))
        self.burst_day = self.today - timedelta(days=_BURST_DAYS_AGO)

    def arrivals(self, day: date) -> list[Arrival]:
        """All calls of one day in their order."""
        level = _START_LEVEL + (1 - _START_LEVEL) * (1 - (self.today - day).days / max(1, len(self.days) - 1))
        found: list[Arrival] = []
        for number, service in enumerate(SERVICES):
            mood = level * spread(self._random, 0.05)
            for place in range(len(service.features)):
                for hour in range(24):
                    found.extend(self._of_hour(datetime.combine(day, time(hour), self._zone), mood, number, place))
        found.sort()
        return found

    def _of_hour(self, hour: datetime, level: float, number: int, place: int) -> Iterator[Arrival]:
        start = hour.timestamp()
        service = SERVICES[number]
        feature = service.features[place]
        length = min(feature.rhythm.span, self._now - start)
        if length <= 0:
            return
        is_spike = hour.date() == self.spike_day and feature.name == SPIKE_FEATURE and hour.hour in _SPIKE_HOURS
        is_burst = hour.date() == self.burst_day and service.name == BURST_SERVICE and hour.hour in _BURST_HOURS
        share = feature.rhythm.share(hour.weekday(), hour.hour)
        expected = (
            feature.calls_per_day * level * share * length / feature.rhythm.span * (_SPIKE_GROWTH if is_spike else 1.0)
        )
        random = self._random
        for _ in range(_poisson(random, expected)):
            is_long = is_spike and random.random() < _SPIKE_LONG_SHARE
            yield Arrival(start + random.random() * length, number, place, is_long, _BURST_RATE if is_burst else 0.0)


def _workday(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - _SATURDAY + 1))


def _poisson(random: Random, expected: float) -> int:
    if expected > 30:
        return max(0, round(random.gauss(expected, math.sqrt(expected))))
    limit, count, product = math.exp(-expected), 0, random.random()
    while product > limit:
        count += 1
        product *= random.random()
    return count
