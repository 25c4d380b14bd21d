from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.budgets.pace import change, forecast_to_date, share
from monitor.budgets.periods import Period

_JUNE = Period(start=datetime(2026, 6, 1, tzinfo=UTC), end=datetime(2026, 7, 1, tzinfo=UTC))


def test_half_of_the_month_is_half_of_the_forecast() -> None:
    """$15 in 15 of 30 days make $30."""
    assert forecast_to_date(Decimal(15), _JUNE, _JUNE.start + timedelta(days=15)) == 30


def test_the_pace_is_measured_from_the_first_record() -> None:
    """$5 in the five days since the records began, and ten to come, make $15."""
    begun = _JUNE.start + timedelta(days=15)

    assert forecast_to_date(Decimal(5), _JUNE, begun + timedelta(days=5), recorded_since=begun) == 15


def test_records_from_before_the_period_change_nothing() -> None:
    """The period's own start is where its spend began."""
    before = _JUNE.start - timedelta(days=90)

    assert forecast_to_date(Decimal(15), _JUNE, _JUNE.start + timedelta(days=15), recorded_since=before) == 30


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_less_than_a_day_is_too_early(hours: int) -> None:
    """One busy hour is no month."""
    assert forecast_to_date(Decimal(5), _JUNE, _JUNE.start + timedelta(hours=hours)) is None


@given(
    spend=st.decimals(min_value=0, max_value=10**9, places=6),
    elapsed=st.timedeltas(min_value=timedelta(days=1), max_value=timedelta(days=30)),
)
def test_a_forecast_is_never_less_than_what_is_spent(spend: Decimal, elapsed: timedelta) -> None:
    """What is spent stays spent, and at the end the forecast is the spend."""
    expected = forecast_to_date(spend, _JUNE, _JUNE.start + elapsed)

    assert expected is not None
    assert expected >= spend
    assert elapsed < timedelta(days=30) or expected == spend


def test_a_change_is_relative_to_what_was_before() -> None:
    """From 4 to 5 is a quarter more; from nothing there is no fraction."""
    assert change(Decimal(5), Decimal(4)) == Decimal("0.25")
    assert change(Decimal(5), Decimal(0)) is None


def test_a_share_of_nothing_is_unknown() -> None:
    """Nothing has no parts."""
    assert share(Decimal(1), Decimal(4)) == Decimal("0.25")
    assert share(Decimal(0), Decimal(0)) is None
