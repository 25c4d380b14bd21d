"""Turns requests whose cost is not known into alerts: one for each model, or one for all where there are too many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from monitor.alerts.model import Alert, Firing, fingerprint
from monitor.alerts.wording import counted, local_time

RULE: Final = "unpriced_requests"

LOOKS_BACK: Final = timedelta(hours=24)
"""Requests of this time are counted."""

ENDS_AFTER: Final = timedelta(hours=6)
"""So long after the last such request an alert ends."""

MOST_MODELS: Final = 10
"""With more models than that at a time, one alert speaks for all that come new."""

STATES: Final[Mapping[str, str]] = {
    "unpriced": "there is no price for what was used",
    "impossible": "the token counts contradict each other",
}
"""The states of requests that are alerted, and what they mean."""

_LONGEST_NAME: Final = 200
_LONGEST_LABEL: Final = 1_000
_SHOWN_NAMES: Final = 5
_ONE: Final = "UnpricedRequests"
_MANY: Final = "UnpricedModels"

Propose = Callable[[str, str], str]
"""Gives the command to type for a provider and a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedModel:
    """The requests of one model that have no known cost for one reason, in the time that is looked back.

    Attributes:
        model: None where they name none.
        pricing_state: one of `STATES`.
        input_tokens: None where none were stated.
        why: what the price list said of the model; None where it was not asked.
        is_mended: whether its prices have changed since the last of them.
    """

    provider_name: str
    model: str | None
    pricing_state: str
    requests: int
    input_tokens: int | None
    output_tokens: int | None
    first_at: datetime
    last_at: datetime
    why: str | None = None
    is_mended: bool = False

    @property
    def name(self) -> str:
        """For people; never long."""
        if self.model is None:
            return "requests without a model"
        return self.model if len(self.model) <= _LONGEST_NAME else f"{self.model[:_LONGEST_NAME]}…"

    @property
    def labels(self) -> dict[str, str]:
        """What tells it from others."""
        model = (self.model or "")[:_LONGEST_LABEL]
        return {
            "alertname": _ONE,
            "provider_name": self.provider_name,
            "model": model,
            "pricing_state": self.pricing_state,
        }


def firing_of(
    found: Sequence[UnpricedModel],
    known: Sequence[Alert],
    *,
    now: datetime,
    time_zone: str,
    propose: Propose,
    public_url: str | None,
) -> tuple[Firing, ...]:
    """The alerts that fire now; all others of this rule have ended.

    An alert goes on for as long as such requests arrive. One that ended fires again without a message if it was of
    the same day, so that there is never more than one message for a model and day.

    Args:
        found: the models with most requests first.
        known: the alerts of this rule that fire, or ended a while ago.
        now: aware UTC.
        time_zone: of the times in the texts.
        propose: tells what to type.
        public_url: of the dashboard, for a link.
    """
    texts = _Texts(now=now, time_zone=time_zone, propose=propose, public_url=public_url)
    before = {_subject(alert.labels): alert for alert in sorted(known, key=lambda alert: alert.starts_at)}
    arriving = [one for one in found if not one.is_mended and one.last_at + ENDS_AFTER > now]
    going_on = [one for one in arriving if _subject(one.labels) in before]
    new = [one for one in arriving if _subject(one.labels) not in before]
    is_flood = bool(new) and len(new) + len(before) > MOST_MODELS
    told = {_subject(alert.labels)[:-1] for alert in known if alert.labels.get("day") == _day(now)}
    firing = []
    for one in going_on if is_flood else (*going_on, *new):
        alert, who = texts.of_model(one, before.get(_subject(one.labels))), _subject(one.labels)[:-1]
        firing.append(Firing(alert=alert, is_told=who not in told))
        told.add(who)
    if is_flood:
        firing.append(Firing(alert=texts.of_many(new, before.get((_MANY,)))))
    return tuple(firing)


def _subject(labels: Mapping[str, str]) -> tuple[str, ...]:
    names = ("alertname", "provider_name", "model", "pricing_state")
    return tuple(labels[name] for name in names if name in labels)


def _day(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    now: datetime
    time_zone: str
    propose: Propose
    public_url: str | None

    def of_model(self, one: UnpricedModel, before: Alert | None) -> Alert:
        why = STATES[one.pricing_state] + (f" ({one.why})" if one.why and one.pricing_state == "unpriced" else "")
        action = before.annotations["action"] if before else self._action(one)
        annotations = {
            "title": f"No known cost: {one.name}",
            "summary": (
                f"{counted(one.requests, 'request')} of {one.name} ({one.provider_name}) in the last 24 hours "
                f"{'has' if one.requests == 1 else 'have'} no known cost, since "
                f"{local_time(self._since(before, one.first_at), self.time_zone)}: {why}."
            ),
            "action": action,
            "requests": f"{one.requests:,}",
            "input_tokens": _count(one.input_tokens),
            "output_tokens": _count(one.output_tokens),
            "why": why,
        }
        return self._alert(one.labels, annotations, before, since=one.first_at, last_at=one.last_at)

    def of_many(self, found: Sequence[UnpricedModel], before: Alert | None) -> Alert:
        names = ", ".join(one.name for one in found[:_SHOWN_NAMES])
        requests = sum(one.requests for one in found)
        annotations = {
            "title": f"No known cost: {counted(len(found), 'model')}",
            "summary": (
                f"{counted(requests, 'request')} of {counted(len(found), 'model')} in the last 24 hours "
                f"{'has' if requests == 1 else 'have'} no known cost, most of them of {names}."
            ),
            "action": (
                "The spend that pages and budgets show lacks them. The page Data quality lists the models with what to "
                "type for each; one command prices all that fit a pattern, such as: monitor price set 'acme-*' …"
            ),
            "requests": f"{requests:,}",
            "input_tokens": _count(_total([one.input_tokens for one in found])),
            "output_tokens": _count(_total([one.output_tokens for one in found])),
        }
        since, last_at = min(one.first_at for one in found), max(one.last_at for one in found)
        return self._alert({"alertname": _MANY}, annotations, before, since=since, last_at=last_at)

    def _action(self, one: UnpricedModel) -> str:
        text = "The spend that pages and budgets show lacks them. "
        if one.pricing_state != "unpriced" or one.model is None:
            return f"{text}The page Requests shows them one by one."
        # A name may be anything that was sent; nobody should be led to type one with control characters.
        command = self.propose(one.provider_name, one.model) if one.model.isprintable() else "monitor price set …"
        since = f"{one.first_at:%Y-%m-%d}"
        return (
            f"{text}To give it a price: {command[: 2 * _LONGEST_NAME]}  and then to price what is stored: "
            f"monitor price reprice --since {since}"
        )

    def _goes_on(self, before: Alert) -> bool:
        return before.state == "firing" or before.labels["day"] == _day(self.now)

    def _since(self, before: Alert | None, first_at: datetime) -> datetime:
        return before.starts_at if before is not None and self._goes_on(before) else min(first_at, self.now)

    def _alert(
        self,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        before: Alert | None,
        *,
        since: datetime,
        last_at: datetime,
    ) -> Alert:
        starts_at = self._since(before, since)
        if before is not None and self._goes_on(before):
            labels = before.labels
        else:
            labels = {**labels, "severity": "warning", "day": _day(self.now)}
        more = {"since": local_time(starts_at, self.time_zone)}
        if self.public_url is not None:
            more["dashboard_url"] = f"{self.public_url.rstrip('/')}/quality"
        return Alert(
            fingerprint=fingerprint(labels),
            rule=RULE,
            state="firing",
            labels=labels,
            annotations={**annotations, **more},
            starts_at=starts_at,
            ends_at=min(last_at, self.now) + ENDS_AFTER,
        )


def _count(number: int | None) -> str:
    return "not stated" if number is None else f"{number:,}"


def _total(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
