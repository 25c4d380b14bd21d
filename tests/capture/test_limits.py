"""Numbers and waits as headers write them."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.capture.limits import number_of, percentage_of, seconds_of, wait_until


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("120ms", 0.12),
        ("6m0s", 360.0),
        ("1m30s", 90.0),
        ("7.66s", 7.66),
        ("2h3m4s", 7384.0),
        ("1d", 86400.0),
        ("9m9.9s", 549.9),
        ("1m30.951s", 90.951),
        ("1m 30s", 90.0),
        ("1h 2m  3s", 3723.0),
        ("12us", 0.000012),
        ("500\u00b5s", 0.0005),
        ("500\u03bcs", 0.0005),
        ("500\u00c2\u00b5s", 0.0005),
        ("1s500\u00ce\u00bcs", 1.0005),
        ("900ns", 0.000001),
        ("1,000", 1000.0),
        ("1e3", 1000.0),
        ("7", 7.0),
        ("0", 0.0),
        (" 5 ", 5.0),
        ("REDACTED", None),
        ("", None),
        ("9s, req_b9c9", None),
        ("-5", None),
        ("5x", None),
        ("1_000", None),
        ("nan", None),
        ("\u0661s", None),
        ("2026-11-20T10:00:00Z", None),
        ("31622400", 31622400.0),
        ("31622401", None),
        ("1795305599", None),
        ("9000d", None),
    ],
)
def test_a_wait_is_read_in_every_form(text: str, seconds: float | None) -> None:
    """Every form that was seen becomes seconds; what cannot be read is unknown."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "nan", "inf", "1_000", "0x10", "١٢", "1 2", "9" * 40, "1e40", "1,00", "5000,5000"]
)
def test_what_is_no_plain_number_is_unknown(text: str) -> None:
    """Python's own reader takes more than a header may hold."""
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("1000", 1000.0), ("1,000", 1000.0), ("12,345,678.5", 12_345_678.5), ("1e5", 1e5), ("-1", -1.0)],
)
def test_a_number_is_read_in_every_form(text: str, number: float) -> None:
    """With marks between the thousands, or with an exponent."""
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("{seconds}", 60),
        ("{seconds}.5", 60),
        ("{milliseconds}", 60),
        ("{date}", 60),
        ("{past}", 0),
        ("1000000000", 0),
        ("1000000000000", 0),
    ],
)
def test_a_moment_is_so_many_seconds_ahead(text: str, seconds: float) -> None:
    """Written as a date, or as seconds or milliseconds since 1970; one that is past is no wait."""
    then = datetime.now(UTC) + timedelta(seconds=60)
    since = int(then.timestamp())
    told = text.format(seconds=since, milliseconds=since * 1000, date=then.isoformat(), past=since - 3600)

    wait = wait_until(told)

    assert wait is not None
    assert seconds - 10 < wait <= seconds + 1 or wait == seconds


@pytest.mark.parametrize(
    "text", ["9999999999", "9999999999999", "999999999", "123456789012", "1795305599000000", "9999-01-01T00:00:00Z", ""]
)
def test_a_moment_that_cannot_be_is_unknown(text: str) -> None:
    """No limit is full again only after more than a year."""
    assert wait_until(text) is None


@pytest.mark.parametrize(("text", "number"), [("57.2%", 57.2), ("57.2", 57.2), ("0%", 0.0), ("%", None), ("", None)])
def test_a_share_is_a_number(text: str, number: float | None) -> None:
    """With its sign or without."""
    assert percentage_of(text) == number
