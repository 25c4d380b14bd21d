from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dashboard import formats

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "unknown"),
        ("0", "$0.00"),
        ("0.0000004", "<$0.000001"),
        ("0.00421", "$0.0042"),
        ("0.00999", "$0.010"),
        ("0.0999", "$0.10"),
        ("0.1", "$0.10"),
        ("0.5", "$0.50"),
        ("12.344", "$12.34"),
        ("999.999", "$1,000"),
        ("1234.4", "$1,234"),
        ("1234567.5", "$1,234,568"),
        ("-12.3", "-$12.30"),
    ],
)
def test_money_has_the_digits_that_matter(amount: str | None, shown: str) -> None:
    """Small amounts keep two digits, great ones lose their cents, the unknown is a word."""
    assert formats.money(None if amount is None else Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "–"),
        (0, "0"),
        (9_999, "9,999"),
        (12_345, "12.3 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (4_560_000, "4.56 M"),
        (7_000_000_000, "7.00 B"),
    ],
)
def test_counts_are_short(number: int | None, shown: str) -> None:
    """Three digits and a unit from ten thousand on."""
    assert formats.count(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (0.0012, "1.2 ms"),
        (0.85, "850 ms"),
        (0.9996, "1.0 s"),
        (2.34, "2.3 s"),
        (42.4, "42 s"),
        (250, "4 min 10 s"),
        (3725, "1 h 2 min"),
    ],
)
def test_durations_have_a_fitting_unit(seconds: float | None, shown: str) -> None:
    """From milliseconds to hours."""
    assert formats.duration(seconds) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"), [(None, "–"), (0.0, "0%"), (0.0004, "<0.1%"), (0.025, "2.5%"), (0.81, "81%"), (1.0, "100%")]
)
def test_shares_are_percentages(fraction: float | None, shown: str) -> None:
    """A trace is not nothing."""
    assert formats.percent(fraction) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(None, None), ("0", "0%"), ("0.12", "+12%"), ("-0.034", "-3.4%"), ("0.0001", "0%"), ("11", "×12")],
)
def test_changes_have_a_sign(fraction: str | None, shown: str | None) -> None:
    """And become a factor where a percentage would be absurd."""
    assert formats.signed_percent(None if fraction is None else Decimal(fraction)) == shown


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (datetime(2026, 6, 17, 9, 5, 6, tzinfo=UTC), "11:05:06"),
        (datetime(2026, 6, 16, 22, 30, tzinfo=UTC), "00:30:00"),
        (datetime(2026, 6, 16, 20, 0, tzinfo=UTC), "16 Jun 22:00"),
        (datetime(2025, 12, 31, 12, 0, tzinfo=UTC), "31 Dec 2025 13:00"),
    ],
)
def test_times_are_those_of_the_zone(when: datetime, shown: str) -> None:
    """Today without a date, this year without a year."""
    assert formats.moment(when, "Europe/Berlin", NOW) == shown


def test_sizes_have_a_unit() -> None:
    """Bytes, kilobytes, megabytes."""
    assert [formats.size(number) for number in (0, 999, 1_500, 64_000, 3_400_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "64 kB",
        "3.4 MB",
    ]


def test_markdown_in_names_is_not_read() -> None:
    """A name with marks in it is shown as it is."""
    assert formats.plain("*a* $1 :red[x]\n`b`") == r"\*a\* \$1 \:red\[x\] \`b\`"
