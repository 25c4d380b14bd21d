"""Which alerts fire for requests whose cost is not known. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.alerts.model import Alert, Firing
from monitor.alerts.unpriced_alert import ENDS_AFTER, MOST_MODELS, UnpricedModel, firing_of
from tests.factories_alerts import NOW

_HOUR = timedelta(hours=1)


def _unpriced(
    model: str | None = "acme-9", *, ago: timedelta = _HOUR, now: datetime = NOW, **facts: Any
) -> UnpricedModel:
    usual: dict[str, Any] = {
        "provider_name": "openai",
        "model": model,
        "pricing_state": "unpriced",
        "requests": 1_204,
        "input_tokens": 5_000,
        "output_tokens": None,
        "first_at": now - ago - _HOUR,
        "last_at": now - ago,
        "why": "the list does not know this model",
    }
    return UnpricedModel(**(usual | facts))


def _firing(found: Sequence[UnpricedModel], known: Sequence[Alert] = (), *, now: datetime = NOW) -> tuple[Firing, ...]:
    return firing_of(
        found,
        known,
        now=now,
        time_zone="Europe/Berlin",
        propose=lambda provider, model: f"monitor price set {model} --provider {provider}",
        public_url="https://example.com/",
    )


def _ended(alert: Alert) -> Alert:
    return replace(alert, state="resolved")


def test_an_alert_says_what_why_since_when_and_what_to_do() -> None:
    """All that somebody needs who hears of it."""
    (one,) = _firing([_unpriced()])

    assert one.alert.title == "No known cost: acme-9"
    assert one.alert.summary == (
        "1,204 requests of acme-9 (openai) in the last 24 hours have no known cost, since 2026-06-17 12:00 "
        "Europe/Berlin: there is no price for what was used (the list does not know this model)."
    )
    assert one.alert.annotations["action"] == (
        "The spend that pages and budgets show lacks them. To give it a price: "
        "monitor price set acme-9 --provider openai  and then to price what is stored: "
        "monitor price reprice --since 2026-06-17"
    )
    facts = ("requests", "input_tokens", "output_tokens", "since", "dashboard_url")
    assert [one.alert.annotations[name] for name in facts] == [
        *("1,204", "5,000", "not stated", "2026-06-17 12:00 Europe/Berlin", "https://example.com/quality")
    ]


def test_an_alert_goes_on_while_such_requests_arrive() -> None:
    """It is the same one, with the figures of now."""
    (first,) = _firing([_unpriced()])
    later = NOW + timedelta(days=2)
    (second,) = _firing([_unpriced(now=later, requests=7)], [first.alert], now=later)

    assert (second.alert.fingerprint, second.alert.starts_at) == (first.alert.fingerprint, first.alert.starts_at)
    assert second.alert.annotations["requests"] == "7"
    assert second.alert.ends_at == later - _HOUR + ENDS_AFTER


@pytest.mark.parametrize(
    "over", [_unpriced(ago=ENDS_AFTER), _unpriced(is_mended=True)], ids=["none came since", "it has a price now"]
)
def test_an_alert_ends(over: UnpricedModel) -> None:
    """Some hours after the last such request, or as soon as the prices changed after it."""
    assert _firing([over]) == ()


def test_each_state_of_a_model_has_its_alert_and_one_message() -> None:
    """What cannot be right is another thing than what has no price; nobody hears of one model twice a day."""
    one, other = _firing([_unpriced(), _unpriced(pricing_state="impossible")])

    assert one.alert.fingerprint != other.alert.fingerprint
    assert (one.is_told, other.is_told) == (True, False)
    assert "the token counts contradict each other" in other.alert.summary
    assert "monitor price" not in other.alert.annotations["action"]


def test_what_fires_again_on_the_same_day_is_the_same_alert() -> None:
    """So no second message; on another day it is a new one."""
    (first,) = _firing([_unpriced()])
    (again,) = _firing([_unpriced(now=NOW + 7 * _HOUR)], [_ended(first.alert)], now=NOW + 7 * _HOUR)
    (tomorrow,) = _firing([_unpriced(now=NOW + 20 * _HOUR)], [_ended(first.alert)], now=NOW + 20 * _HOUR)

    assert again.alert.fingerprint == first.alert.fingerprint
    assert tomorrow.alert.fingerprint != first.alert.fingerprint
    assert tomorrow.is_told


def test_a_flood_of_models_is_one_alert() -> None:
    """It says how many there are; what had an alert before keeps it."""
    (first,) = _firing([_unpriced()])
    many = [_unpriced(f"acme-{number}") for number in range(10_000)]
    own, flood = _firing(many, [first.alert])

    assert own.alert.fingerprint == first.alert.fingerprint
    assert flood.alert.title == "No known cost: 9,999 models"
    assert "12,038,796 requests of 9,999 models" in flood.alert.summary
    assert len(flood.alert.summary) < 500
    assert [one.alert.fingerprint for one in _firing(many, [own.alert, flood.alert])] == [
        own.alert.fingerprint,
        flood.alert.fingerprint,
    ]


def test_as_many_models_as_can_be_read_have_their_own_alerts() -> None:
    """One more, and one alert speaks for all of them."""
    models = [_unpriced(f"acme-{number}") for number in range(MOST_MODELS + 1)]

    assert [len(_firing(models[:count])) for count in (MOST_MODELS, MOST_MODELS + 1)] == [MOST_MODELS, 1]


def test_names_come_in_drops_without_a_stream_of_messages() -> None:
    """A new one every hour: after the first few they share an alert."""
    known: dict[str, Alert] = {}
    told = 0
    for hour in range(20):
        now = NOW + hour * _HOUR
        firing = _firing([_unpriced(f"acme-{hour}", ago=timedelta(0), now=now)], [*known.values()], now=now)
        told += sum(one.is_told and one.alert.fingerprint not in known for one in firing)
        known |= {one.alert.fingerprint: _ended(one.alert) for one in firing}

    assert told <= MOST_MODELS + 2


def test_names_from_outside_make_no_long_or_strange_texts() -> None:
    """A model may be called anything."""
    long, strange, none = _firing([_unpriced("x" * 10_000), _unpriced("a\nb\x1b[2J"), _unpriced(None)])

    assert len(long.alert.summary) < 600
    assert "\x1b" not in strange.alert.annotations["action"]
    assert none.alert.title == "No known cost: requests without a model"


def test_a_clock_that_goes_before_lengthens_nothing() -> None:
    """The alert ends as if the request had come now."""
    (one,) = _firing([_unpriced(ago=timedelta(days=-1))])

    assert one.alert.ends_at == NOW + ENDS_AFTER
