"""Times as people write them."""

from datetime import UTC, datetime

import pytest

from monitor.cli.spans import moment_of
from monitor.errors import SettingsError

# A Friday evening in New York, and Saturday already in UTC.
_NOW = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", datetime(2026, 11, 14, 1, 30, tzinfo=UTC)),
        ("24h", datetime(2026, 11, 20, 1, 30, tzinfo=UTC)),
        (" 90 M ", datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 7, 1, 30, tzinfo=UTC)),
        ("0d", _NOW),
        ("today", datetime(2026, 11, 20, 5, 0, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 19, 5, 0, tzinfo=UTC)),
        ("month", datetime(2026, 11, 1, 4, 0, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, 4, 0, tzinfo=UTC)),
        ("2026-11-02", datetime(2026, 11, 2, 5, 0, tzinfo=UTC)),
        ("2026-11-01T12:30", datetime(2026, 11, 1, 17, 30, tzinfo=UTC)),
        ("2026-11-01T12:30Z", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-01 12:30+05:30", datetime(2026, 11, 1, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood(text: str, expected: datetime) -> None:
    """Words and bare dates in the zone of the user, on the day that it is there."""
    assert moment_of(text, now=_NOW, time_zone="America/New_York") == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "7", "d", "-7d", "1.5h", "7y", "2026-13-01", "2026-02-30", "99999999999d"]
)
def test_anything_else_is_refused(text: str) -> None:
    """With what can be written instead, or why not."""
    with pytest.raises(SettingsError, match=r"is not a time|further back than there is time"):
        moment_of(text, now=_NOW, time_zone="UTC")
