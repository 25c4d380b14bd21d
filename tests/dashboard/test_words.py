"""Whatever the product can name in one word has a word for people."""

from itertools import chain
from typing import get_args

import pytest

from dashboard.alert_lists import STATES, TONES
from dashboard.cells import outcome
from dashboard.reasons import REASONS, failure_name
from dashboard.words import DROPS, ERRORS, PRICING, TELLERS, drop_reason
from monitor.alerts.model import Severity, State
from monitor.alerts.outbox import NotificationState
from monitor.capture import breaks, fault_codes
from monitor.capture.fault_codes import OTHER_REFUSAL, OTHER_TROUBLE, Fault
from monitor.capture.faults import limit_of_headers
from monitor.ledger.costs import PRICING_STATES
from monitor.pricing.figures import UNKNOWN_COST_STATES
from monitor.records import OUTCOMES, SOURCES
from monitor.spool import trouble

_POLICY = b"DeploymentRatelimit-"


def _faults() -> set[Fault]:
    """Every fault that the tables of the capture name."""
    tables = (fault_codes.BY_CODE, fault_codes.BY_TYPE, fault_codes.BY_STATUS, breaks.BY_NAME)
    broken = {Fault(breaks.CONNECTION, reason) for reason in breaks.CONNECTION_REASONS}
    return {*chain.from_iterable(table.values() for table in tables), *broken, OTHER_REFUSAL, OTHER_TROUBLE}


def _limits() -> set[str | None]:
    """The limits that the capture itself has names for."""
    return {
        limit_of_headers({"requests_remaining": 0, "requests_reset": 1.0}, ()),
        limit_of_headers({"requests_remaining": 0, "requests_reset": 86_400.0}, ()),
        limit_of_headers({"tokens_remaining": 0}, ()),
        *(limit_of_headers({}, [(b"policy-id", _POLICY + what)]) for what in (b"Token", b"Request", b"Call")),
    }


def _pricing_states() -> set[str]:
    """The states that the SQL of the costs can give."""
    return set(PRICING_STATES)


def test_every_class_of_errors_has_words() -> None:
    """A class that the capture learns must be taught to the pages."""
    assert {fault.error_class for fault in _faults()} == ERRORS.keys()


def test_every_reason_has_words() -> None:
    """The reasons that the product gives; names of parameters and of new limits are the provider's."""
    reasons = {fault.reason for fault in _faults()} | _limits()

    assert reasons - {None} <= REASONS.keys()


def test_every_pricing_state_has_words() -> None:
    """Those of known cost too: they explain a dash."""
    assert _pricing_states() == PRICING.keys()
    assert set(UNKNOWN_COST_STATES) < PRICING.keys()


def test_every_source_has_words() -> None:
    """Who tells of requests."""
    assert {*SOURCES} == TELLERS.keys()


def test_every_reason_to_lose_records_has_words() -> None:
    """Contents are lost for the same reasons as records; a line that does not say why is no line without words."""
    assert {*trouble.REASONS, "unknown"} == DROPS.keys()
    assert drop_reason("content_disk_full") == "The disk was full (contents)"


def test_every_state_of_alerts_and_notifications_has_words() -> None:
    """And alerts have a colour by state and by severity."""
    assert set(get_args(NotificationState)) == STATES.keys()
    assert {*get_args(State), *get_args(Severity)} <= TONES.keys()


@pytest.mark.parametrize("ending", OUTCOMES)
def test_only_what_was_answered_in_full_is_ok(ending: str) -> None:
    """No outcome is told as another."""
    row = {"status": 200, "error_class": "server" if ending == "failed" else None, "outcome": ending}

    assert (outcome(row | {"error_reason": None, "error_code": None, "error_type": None}).text == "200 OK") == (
        ending == "completed"
    )


def test_an_error_tells_all_that_is_known_on_pointing_at_it() -> None:
    """The class is in the cell; the reason and the provider's own word come besides."""
    row = {"status": 429, "error_class": "rate_limit", "error_reason": "requests_per_day", "outcome": "failed"}
    cell = outcome(row | {"error_code": "rate_limit_exceeded", "error_type": "requests"})

    assert (cell.text, cell.title) == ("429 Rate limit", "Rate limit: requests a day (rate_limit_exceeded)")


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (None, "Connection failed"),
        ("tls", "Connection failed: TLS"),
        ("too_many", "Connection failed: too many"),
    ],
)
def test_reasons_are_said_in_words(reason: str | None, name: str) -> None:
    """Those that are no words have some; all others lose their lines."""
    assert failure_name("connection", reason) == name
