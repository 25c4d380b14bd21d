from datetime import UTC, datetime, timedelta

import pytest

from dashboard.spans import LABELS, span_of

NOW = datetime(2026, 6, 17, 12, 34, 56, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("label", "start", "before_start", "before_end", "step"),
    [
        ("Last hour", "2026-06-17T11:34:56", "2026-06-17T10:34:56", "2026-06-17T11:34:56", "minute"),
        ("Today", "2026-06-16T22:00:00", "2026-06-15T22:00:00", "2026-06-16T12:34:56", "hour"),
        ("Last 24 h", "2026-06-16T12:34:56", "2026-06-15T12:34:56", "2026-06-16T12:34:56", "hour"),
        ("Last 7 days", "2026-06-10T22:00:00", "2026-06-03T22:00:00", "2026-06-10T12:34:56", "day"),
        ("Last 30 days", "2026-05-18T22:00:00", "2026-04-18T22:00:00", "2026-05-18T12:34:56", "day"),
        ("This month", "2026-05-31T22:00:00", "2026-04-30T22:00:00", "2026-05-17T12:34:56", "day"),
    ],
)
def test_a_span_and_the_one_before(label: str, start: str, before_start: str, before_end: str, step: str) -> None:
    """Days are those of the zone, and the span before goes as far as now does."""
    span = span_of(label, NOW, "Europe/Berlin")

    assert (span.start, span.step) == (at(start), step)
    assert (span.before.start, span.before.end) == (at(before_start), at(before_end))


@pytest.mark.parametrize("label", LABELS)
def test_a_span_ends_with_the_current_hour(label: str) -> None:
    """So that the rollup answers it."""
    assert span_of(label, NOW, "UTC").end == at("2026-06-17T13:00:00")


def test_a_month_is_not_compared_with_more_than_the_month_before() -> None:
    """On the 31st of March the comparison ends with February."""
    span = span_of("This month", at("2026-03-31T12:00:00"), "UTC")

    assert span.before.end == at("2026-03-01T00:00:00")


def test_a_day_with_25_hours_is_a_day() -> None:
    """Where clocks go back, today still begins at midnight."""
    span = span_of("Today", at("2026-10-25T22:30:00"), "Europe/Berlin")

    assert span.now - span.start == timedelta(hours=24, minutes=30)


def test_short_spans_are_looked_at_more_often() -> None:
    """A week is not read every two seconds."""
    assert span_of("Last hour", NOW, "UTC").refresh < span_of("Last 7 days", NOW, "UTC").refresh
