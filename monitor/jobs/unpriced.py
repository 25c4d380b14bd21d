"""Raises an alert where requests arrive whose cost is not known, and resolves it when that is over."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from monitor.alerts.unpriced_alert import LOOKS_BACK, RULE, Propose, UnpricedModel, firing_of
from monitor.alerts.wording import counted
from monitor.clock import Clock
from monitor.control.store import Control

log: Final = logging.getLogger(__name__)

UnpricedOf = Callable[[datetime], Sequence[UnpricedModel]]
"""Gives the models with requests of unknown cost since a moment, aware UTC; those with most requests first."""


def raise_unpriced(
    control: Control,
    unpriced_of: UnpricedOf,
    propose: Propose,
    clock: Clock,
    *,
    receivers: Sequence[str],
    time_zone: str,
    public_url: str | None,
) -> int:
    """Let the alerts fire that should; return how many are new. With the same facts nothing changes.

    Args:
        control: where alerts stand.
        unpriced_of: asked once.
        propose: tells what to type for a model.
        clock: tells which requests are recent.
        receivers: who hears of new alerts; without any they only stand on the page.
        time_zone: of the times in the texts.
        public_url: of the dashboard, for a link.
    """
    now = clock()
    found = unpriced_of(now - LOOKS_BACK)
    known = control.alerts_of_rule(RULE, since=now - LOOKS_BACK)
    if not found and all(alert.state == "resolved" for alert in known):
        return 0
    firing = firing_of(found, known, now=now, time_zone=time_zone, propose=propose, public_url=public_url)
    new = control.hold_alerts(RULE, firing, receivers)
    if new:
        log.info("Requests arrive whose cost is not known: %s.", counted(new, "new alert"))
    return new
