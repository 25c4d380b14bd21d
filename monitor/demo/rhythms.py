"""When people and programs work: how the calls of a day and of a week are spread."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Weights of the 24 hours of a day and, from Monday, of the days of a week.

    `span` is how many seconds at the beginning of an hour the calls of that hour take.
    """

    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    span: float = 3_600

    def share(self, weekday: int, hour: int) -> float:
        """The part of a mean day's calls that falls into this hour."""
        return self.weekdays[weekday] * 7 / sum(self.weekdays) * self.hours[hour] / sum(self.hours)


_OFFICE_HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 7, 10, 11, 10, 6, 8, 10, 11, 9, 6, 3, 2, 1, 1, 0, 0)
_SHOP_HOURS = (3, 2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 6, 6, 5, 5, 5, 6, 7, 9, 11, 12, 11, 8, 5)

OFFICE: Final = Rhythm(_OFFICE_HOURS, (10, 10, 10.5, 10, 9, 1.2, 0.8))
"""People at their desks."""

SHOP: Final = Rhythm(_SHOP_HOURS, (9.5, 9.5, 10, 10, 11, 12.5, 11.5))
"""Customers: evenings and weekends."""

NIGHT: Final = Rhythm((0, 6, 10, 8, 3, *(0,) * 19), (1,) * 7)
"""A job that runs after one o'clock."""

MIDNIGHT: Final = Rhythm((1, *(0,) * 23), (1,) * 7, span=240)
"""A job that runs when the day begins, for some minutes."""

STEADY: Final = Rhythm((1,) * 24, (1,) * 7)
"""Always alike."""
