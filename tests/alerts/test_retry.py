from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.retry import LIFETIME, SCHEDULE, is_expired, next_attempt_at
from tests.factories_alerts import NOW

randoms = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 7200), (7, 21600), (8, 21600), (50, 21600)],
)
def test_waits_grow_and_then_stay(attempts: int, seconds: int) -> None:
    """5 s, 30 s, 2 min, 10 min, 30 min, 2 h, and then every 6 h."""
    moment = next_attempt_at(attempts=attempts, created_at=NOW, now=NOW, random=0.5)

    assert moment == NOW + timedelta(seconds=seconds)


@given(attempts=st.integers(1, 20), random=randoms)
def test_jitter_is_at_most_a_fifth(attempts: int, random: float) -> None:
    """No wait is more than 20 % off its place in the schedule."""
    planned = SCHEDULE[min(attempts, len(SCHEDULE) - 1)]
    moment = next_attempt_at(attempts=attempts, created_at=NOW, now=NOW, random=random)

    assert moment is not None
    assert planned * 0.8 <= moment - NOW <= planned * 1.2


@pytest.mark.parametrize(("asked", "seconds"), [(1.0, 5), (90.0, 90), (7200.0, 3600), (float("1e9"), 3600)])
def test_a_receiver_may_ask_for_more_time(asked: float, seconds: int) -> None:
    """Retry-After lengthens the wait, up to one hour, and never shortens it."""
    moment = next_attempt_at(attempts=1, created_at=NOW, now=NOW, random=0.5, retry_after=asked)

    assert moment == NOW + timedelta(seconds=seconds)


def test_it_is_given_up_after_three_days() -> None:
    """No attempt is planned beyond the lifetime."""
    now = NOW + LIFETIME - timedelta(hours=5)

    assert next_attempt_at(attempts=9, created_at=NOW, now=now, random=0.5) is None
    assert not is_expired(created_at=NOW, now=NOW + LIFETIME)
    assert is_expired(created_at=NOW, now=NOW + LIFETIME + timedelta(seconds=1))


@given(random=randoms)
def test_every_notification_gets_many_attempts_and_an_end(random: float) -> None:
    """Followed to its end, the schedule stops, and not before a receiver had days to come back."""
    attempts, last = 1, NOW
    moment: datetime | None = NOW
    while moment is not None:
        attempts, last = attempts + 1, moment
        moment = next_attempt_at(attempts=attempts, created_at=NOW, now=moment, random=random)

    assert 15 <= attempts <= 30
    assert last - NOW >= timedelta(hours=64)
