"""Numbers and waits as headers write them."""

import pytest

from monitor.capture.limits import number_of, percentage_of, seconds_of


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
    ],
)
def test_a_wait_is_read_in_every_form(text: str, seconds: float | None) -> None:
    """Every form that was seen becomes seconds; what cannot be read is unknown."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e5", "1_000", "0x10", "١٢", "1 2", "9" * 40])
def test_what_is_no_plain_number_is_unknown(text: str) -> None:
    """Python's own reader takes more than a header may hold."""
    assert number_of(text) is None


@pytest.mark.parametrize(("text", "number"), [("57.2%", 57.2), ("57.2", 57.2), ("0%", 0.0), ("%", None), ("", None)])
def test_a_share_is_a_number(text: str, number: float | None) -> None:
    """With its sign or without."""
    assert percentage_of(text) == number
