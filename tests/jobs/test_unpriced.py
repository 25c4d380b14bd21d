"""Alerts for requests whose cost is not known, from the ledger to the outbox."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from monitor.alerts.notification import mail_of
from monitor.control.store import Control
from monitor.jobs.unpriced import raise_unpriced
from monitor.ledger.price_queries import unpriced_since
from monitor.ledger.prices import refresh_prices
from monitor.records import Record
from tests.factories import NOW, make_record, make_usage
from tests.factories_alerts import add_webhook, make_message
from tests.pricing.books import make_book, make_model, make_prices
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, book=make_book(make_model("m", make_prices(input_mtok="2", cache_read_mtok="1")))) as world:
        yield world


@pytest.fixture
def control(world: World) -> Iterator[Control]:
    with closing(Control.open(world.home.control, world.clock)) as control:
        add_webhook(control)
        yield control


_FACTS: Final[dict[str, Any]] = {"request_model": "acme-9", "response_model": None}


def _record(world: World, model: str = "acme-9") -> Record:
    return make_record(**_FACTS | {"request_model": model}, started_at=world.clock())


def _run(world: World, control: Control, *receivers: str) -> int:
    return raise_unpriced(
        control,
        partial(unpriced_since, world.ledger),
        lambda _, model: f"monitor price set {model}",
        world.clock,
        receivers=receivers,
        time_zone="UTC",
        public_url=None,
    )


def test_a_model_without_a_price_is_told_once(world: World, control: Control) -> None:
    """However often it is looked, and however many of its requests come."""
    new = []
    for _ in range(3):
        world.store(_record(world))
        new.append(_run(world, control, "on-call"))
        world.clock.advance(hours=1)

    (alert,) = control.list_alerts()
    assert new == [1, 0, 0]
    assert (alert.state, alert.annotations["requests"]) == ("firing", "3")
    assert [one.receiver for one in control.list_notifications()] == ["on-call"]


def test_without_receivers_the_alert_only_stands(world: World, control: Control) -> None:
    """As it is where nobody set any."""
    world.store(_record(world))
    _run(world, control)

    assert len(control.list_alerts()) == 1
    assert control.list_notifications() == ()


def test_a_price_resolves_it(world: World, control: Control) -> None:
    """At the next look, though the requests of before have none yet; and nothing fires that was priced again."""
    world.store(_record(world))
    _run(world, control)
    world.clock.advance(minutes=10)
    refresh_prices(world.ledger, make_book(make_model("acme-9", make_prices(input_mtok="5"))))
    _run(world, control)

    assert [alert.state for alert in control.list_alerts()] == ["resolved"]


def test_a_price_that_does_not_fit_leaves_it_firing(world: World, control: Control) -> None:
    """Requests of another tier still have none."""
    world.store(_record(world))
    refresh_prices(world.ledger, make_book(make_model("acme-9", make_prices(input_mtok="5"))))
    world.clock.advance(minutes=10)
    world.store(make_record(**_FACTS, service_tier="ultrafast", started_at=world.clock()))
    _run(world, control)

    assert [alert.state for alert in control.list_alerts()] == ["firing"]


def test_a_price_for_something_else_does_not(world: World, control: Control) -> None:
    """Only that of the model counts."""
    world.store(_record(world), _record(world, "m"))
    _run(world, control)
    world.clock.advance(minutes=10)
    refresh_prices(world.ledger, make_book(make_model("m", make_prices(input_mtok="3"))))
    _run(world, control)

    assert [alert.state for alert in control.list_alerts()] == ["firing"]


def test_it_ends_when_no_such_request_came_for_hours(world: World, control: Control) -> None:
    """What comes on another day is told again."""
    world.store(_record(world))
    for hours in (0, 7, 20):
        world.clock.advance(hours=hours)
        _run(world, control)
    assert [alert.state for alert in control.list_alerts()] == ["resolved"]

    world.store(_record(world))
    assert _run(world, control, "on-call") == 1


def test_the_facts_are_those_of_the_requests(world: World) -> None:
    """Each model and state, most requests first; what is priced, free or without usage is none of them."""
    strange = make_usage(input_tokens=5, cache_read_input_tokens=9)
    world.store(
        _record(world),
        _record(world),
        make_record(usage=strange, request_model="m", response_model=None),
        _record(world, "m"),
        make_record(usage_source="none", usage=make_usage(input_tokens=None, output_tokens=None)),
        make_record(request_model="old", response_model=None, started_at=NOW - timedelta(days=2)),
    )
    found = unpriced_since(world.ledger, NOW - timedelta(hours=24))

    facts = [(one.model, one.pricing_state, one.requests, one.input_tokens, one.first_at) for one in found]
    assert facts == [("acme-9", "unpriced", 2, 2_000, NOW), ("m", "impossible", 1, 5, NOW)]


def test_a_mail_has_the_facts(world: World, control: Control) -> None:
    """Under their names, in text and in HTML."""
    world.store(_record(world))
    _run(world, control)
    mail = mail_of(make_message(alert=control.list_alerts()[0]))

    for words in ("acme-9", "openai", "1,000", "2026-11-20 12:00 UTC", "monitor price set acme-9"):
        assert words in mail.text
        assert words in mail.html
