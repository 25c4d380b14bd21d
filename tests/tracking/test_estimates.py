"""Estimates in a block: what is read later of the same answer takes their place."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import monitor
from monitor.capture.trackers import tell, tell_end, trackers_of_request
from monitor.records import Record, Usage
from monitor.settings import Settings
from monitor.spool.format import encode_facts
from tests.factories import make_record, make_usage

_COST = Decimal("0.0035")
_SETTINGS = Settings(home=Path("no-home"))


def _request(record: Record) -> None:
    """A request from its start to its end."""
    trackers = trackers_of_request()
    tell(trackers, encode_facts(record))
    tell_end(trackers)


def _polled(*, source: str = "late") -> Record:
    """The answer, read again."""
    facts = {"endpoint": "/responses/{id}", "response_id": "resp_1", "method": "GET", "is_billable": False}
    usage = Usage() if source == "none" else make_usage()
    return make_record(usage=usage, usage_source=source, answer_status="completed", **facts)


def _left(**changes: Any) -> Record:
    """A stream that was left, and what it used by our estimate."""
    facts = {"usage_source": "estimated", "outcome": "interrupted", "response_id": "resp_1", "endpoint": "/responses"}
    return make_record(usage=make_usage(input_tokens=8, output_tokens=2), **(facts | changes))


@pytest.mark.parametrize("source", ["late", "repeated"])
def test_reading_an_answer_again_takes_the_place_of_an_estimate(source: str) -> None:
    """In the background and elsewhere, and once."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(_left())
        before = spend.input_tokens, spend.estimated_requests
        _request(_polled(source="none"))
        _request(_polled(source=source))
        _request(_polled(source=source))

    assert before == (8, 1)
    assert (spend.input_tokens, spend.output_tokens, spend.list_cost) == (1_000, 100, _COST)
    assert (spend.requests, spend.estimated_requests) == (4, 0)


def test_an_estimate_that_comes_after_the_answer_does_not_count() -> None:
    """The stream was left open until then."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(_polled())
        _request(_left())

    assert (spend.requests, spend.input_tokens, spend.list_cost) == (2, 1_000, _COST)


def test_estimates_of_answers_with_the_same_name_all_count() -> None:
    """Some servers give every answer the same id: another request is no reading of it."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(_left())
        _request(make_record(response_id="resp_1"))
        _request(_left())

    assert (spend.requests, spend.input_tokens, spend.estimated_requests) == (3, 1_016, 2)
