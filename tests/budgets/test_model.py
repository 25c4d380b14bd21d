from datetime import datetime
from decimal import Decimal

import pytest

from monitor.budgets.model import Matcher, describe_scope
from monitor.errors import ControlError
from tests.factories_alerts import NOW, make_budget


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("team=search", Matcher(dimension="team", values=("search",))),
        ("team=search, ads", Matcher(dimension="team", values=("search", "ads"))),
        ("model!=gpt-4o", Matcher(dimension="model", values=("gpt-4o",), is_negated=True)),
        ("call_site=a.py:3 =x", Matcher(dimension="call_site", values=("a.py:3 =x",))),
    ],
)
def test_matchers_are_read_from_text(text: str, matcher: Matcher) -> None:
    """A matcher is written as people write it."""
    assert Matcher.parse(text) == matcher


@pytest.mark.parametrize("text", ["team", "team=", "team=a,,b", "=a", "tema=search", "team>=3", "a!b=c"])
def test_other_text_is_no_matcher(text: str) -> None:
    """What cannot be understood is refused, never guessed."""
    with pytest.raises(ControlError):
        Matcher.parse(text)


def test_an_unknown_dimension_is_named_with_the_valid_ones() -> None:
    """Who mistypes a dimension is told which there are."""
    with pytest.raises(ControlError, match=r"'tema' is not a dimension; the dimensions are: .*team"):
        Matcher.parse("tema=search")


def test_a_scope_reads_as_words() -> None:
    """A scope is shown as it was written; the empty one is all calls."""
    assert describe_scope((Matcher.parse("team=a,b"), Matcher.parse("model!=c"))) == "team=a,b and model!=c"
    assert describe_scope(()) == "all calls"


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1e15", "1e-30"])
def test_impossible_amounts_are_refused(amount: str) -> None:
    """An amount is a positive number of dollars; the error names the value."""
    with pytest.raises(ControlError, match=r"amount of a budget.*not "):
        make_budget(amount=amount)


@pytest.mark.parametrize("thresholds", [(), ("0",), ("-0.5",), ("80",), ("0.8", "0.5"), ("0.5", "0.50"), ("NaN",)])
def test_impossible_thresholds_are_refused(thresholds: tuple[str, ...]) -> None:
    """Thresholds are ascending fractions; 80 instead of 80% is a slip, not 8000 %."""
    with pytest.raises(ControlError, match=r"[Tt]hreshold"):
        make_budget(thresholds=tuple(map(Decimal, thresholds)))


@pytest.mark.parametrize("zone", ["", "Berlin", "../etc/passwd", "UTC+1", "Europe"])
def test_only_iana_zones_are_taken(zone: str) -> None:
    """A zone that is not IANA's is refused by name."""
    with pytest.raises(ControlError, match="is not a time zone"):
        make_budget(time_zone=zone)


@pytest.mark.parametrize("name", ["", " search", "search ", "a\nb", "a\x1b[31m", "x" * 101])
def test_names_that_cannot_be_typed_are_refused(name: str) -> None:
    """A name can be shown and typed again."""
    with pytest.raises(ControlError, match="name of a budget"):
        make_budget(name=name)


def test_a_dimension_stands_once_in_a_scope() -> None:
    """`team=a` and `team=b` could never hold together, so the scope says how to write it."""
    with pytest.raises(ControlError, match=r"team=a,b"):
        make_budget(scope=(Matcher.parse("team=a"), Matcher.parse("team=b")))


def test_a_period_is_day_week_or_month() -> None:
    """Other words are refused, with the valid ones."""
    with pytest.raises(ControlError, match="day, week, month"):
        make_budget(period="year")  # type: ignore[arg-type]  # what a file or a form could hold


def test_a_time_without_zone_is_refused() -> None:
    """A naive time would mean another moment on each machine."""
    naive = datetime.fromisoformat(NOW.replace(tzinfo=None).isoformat())
    with pytest.raises(ControlError, match="no time zone"):
        make_budget(created_at=naive)
