"""When a notification that failed is tried again."""

from datetime import datetime, timedelta
from typing import Final

SCHEDULE: Final = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 30, 2 * 60, 10 * 60, 30 * 60, 2 * 3600, 6 * 3600)
)
"""The wait before each attempt, the first one included; the last wait repeats."""

LIFETIME: Final = timedelta(hours=72)
"""So long after its creation a notification is given up."""

JITTER: Final = 0.2
"""Each wait is made up to this fraction shorter or longer, so that many do not come back at the same moment."""

MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""No wait that a receiver asks for is longer than this."""


def next_attempt_at(
    *, attempts: int, created_at: datetime, now: datetime, random: float, retry_after: float | None = None
) -> datetime | None:
    """The moment of the next attempt, or None when the notification has come to the end of its lifetime.

    Args:
        attempts: how many were made, at least 1.
        created_at: when the notification came into being.
        now: when the last attempt ended.
        random: a number from 0 to below 1, which picks the jitter.
        retry_after: the wait in seconds that the receiver asked for; it can only lengthen ours, up to one hour.
    """
    wait = SCHEDULE[min(attempts, len(SCHEDULE) - 1)] * (1 - JITTER + 2 * JITTER * random)
    if retry_after is not None:
        wait = max(wait, min(timedelta(seconds=retry_after), MAX_RETRY_AFTER))
    moment = now + wait
    return None if is_expired(created_at=created_at, now=moment) else moment


def is_expired(*, created_at: datetime, now: datetime) -> bool:
    """Whether the notification has outlived its lifetime."""
    return now > created_at + LIFETIME
