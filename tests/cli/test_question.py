"""The report's question on its way to the server, and what it answers in."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from monitor.api import Question, decimal_text, question_of
from monitor.budgets.model import Matcher
from monitor.errors import ControlError


def _request(params: list[tuple[str, str]]) -> Request:
    return Request({"type": "http", "query_string": urlencode(params).encode(), "headers": []})


_START, _END = "2026-11-20T12:00:00+05:30", "2026-11-21T00:00:00+00:00"


def test_a_question_arrives_as_it_was_asked() -> None:
    """Whatever the values hold."""
    question = Question(
        by="team",
        start=datetime(2026, 11, 1, tzinfo=UTC),
        end=datetime(2026, 11, 2, 3, 4, 5, 6, tzinfo=UTC),
        matchers=(
            Matcher(dimension="team", values=("a&b", "c=d", "é +%")),
            Matcher(dimension="model", values=("x",), is_negated=True),
        ),
    )

    assert question_of(_request(question.as_params())) == question


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"by": None}, "by"),
        ({"start": None}, "start"),
        ({"end": "soon"}, "soon"),
        ({"start": "2026-11-20T12:00:00"}, "names no time zone"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "out of range"),
        ({"where": "team"}, "is not a matcher"),
        ({"where": "colour=red"}, "is not a dimension"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(changes: dict[str, str | None], told: str) -> None:
    """With a sentence that names the fault, not with a fault of the server."""
    params = {"by": "team", "start": _START, "end": _END} | changes

    with pytest.raises(ControlError, match=told):
        question_of(_request([(name, value) for name, value in params.items() if value is not None]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.003500000000000000", "0.0035"),
        ("1.6E-7", "0.00000016"),
        ("0E-18", "0"),
        ("1E+3", "1000"),
        ("100.00", "100"),
        ("100", "100"),
        ("-1.50", "-1.5"),
    ],
)
def test_a_decimal_is_written_without_exponent_and_zeros(value: str, text: str) -> None:
    """The same number, as people and programs read it."""
    assert decimal_text(Decimal(value)) == text


def test_an_unknown_amount_stays_unknown() -> None:
    """It is null in the answer."""
    assert decimal_text(None) is None
