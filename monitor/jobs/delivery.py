"""Delivers what is due in the outbox."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from monitor.alerts.model import Receiver
from monitor.alerts.outbox import Attempt, Claim, Outcome
from monitor.alerts.retry import is_expired, next_attempt_at
from monitor.clock import Clock
from monitor.control.store import Control
from monitor.errors import DeliveryError
from monitor.health import Health
from monitor.notifiers.model import Notifier, RefusedError

log: Final = logging.getLogger(__name__)

WORKERS: Final = 4

MAX_RUN: Final = 30.0
"""So many seconds after its start a run claims nothing more."""

NotifierOf = Callable[[Receiver], Notifier]
"""Makes the notifier of a receiver, or raises `DeliveryError`."""


def deliver_due(
    control: Control,
    notifier_of: NotifierOf,
    *,
    clock: Clock,
    health: Health,
    random: Callable[[], float],
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Send every notification that is due and return how many were delivered; comes back when none is left.

    A few threads each claim one notification at a time; none of a receiver that another thread is busy with, or that
    failed in this run. So a receiver that hangs holds up one thread for one attempt, and the others go on meanwhile.
    After half a minute no more is claimed: the next run sees better what has come in since.

    Counts `notifications_delivered_total` and, for each attempt that failed, `notifications_failed_total`.
    A worker killed between sending and marking sends again with the same id when its lease has ended.

    Args:
        control: holds the outbox.
        notifier_of: usually `registry.notifier_for` with the settings.
        clock: tells what is due.
        health: where the counters are.
        random: gives numbers from 0 to below 1, for the jitter between attempts.
        is_stopping: once it says so, nothing more is claimed; what is being sent is still marked.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    first = control.claim_due(now=clock(), owner=owner, limit=WORKERS)
    if not first:
        return 0
    stop_at = time.monotonic() + MAX_RUN
    worker = _Worker(control, notifier_of, clock, health, random, owner, stop_at, is_stopping)
    with ThreadPoolExecutor(max_workers=len(first), thread_name_prefix="delivery") as threads:
        return sum(threads.map(worker.run, first))


@dataclass(frozen=True, slots=True)
class _Worker:
    control: Control
    notifier_of: NotifierOf
    clock: Clock
    health: Health
    random: Callable[[], float]
    owner: str
    stop_at: float
    is_stopping: Callable[[], bool]
    failing: set[str] = field(default_factory=set)

    def run(self, first: Claim) -> int:
        """Deliver the claim, then whatever else is due."""
        delivered = int(self._deliver(first))
        while time.monotonic() < self.stop_at and not self.is_stopping():
            claims = self.control.claim_due(
                now=self.clock(), owner=self.owner, limit=1, except_receivers=tuple(self.failing)
            )
            if not claims:
                break
            delivered += int(self._deliver(claims[0]))
        return delivered

    def _deliver(self, claim: Claim) -> bool:
        if claim.attempts > 1 and is_expired(created_at=claim.created_at, now=self.clock()):
            self._end(claim, self._attempt("expired", 0.0, "It was tried in vain to the end of its lifetime."))
            return False
        begin = time.monotonic()
        try:
            receipt = self.notifier_of(claim.receiver).notify(claim.message(self.clock()))
        except DeliveryError as error:
            self._failed(claim, error, time.monotonic() - begin)
        except Exception as error:  # noqa: BLE001 (one broken notifier must not stop the others)
            # Its text is not ours and may hold anything, so only its type is kept.
            log.warning("The notifier of receiver %r broke with %s.", claim.receiver.name, type(error).__name__)
            fault = DeliveryError(f"The notifier broke with {type(error).__name__}.", is_permanent=False)
            self._failed(claim, fault, time.monotonic() - begin)
        else:
            attempt = self._attempt("delivered", time.monotonic() - begin, receipt.detail, receipt.status)
            self.control.delivered(claim, attempt)
            self.health.count("notifications_delivered_total")
            return True
        return False

    def _failed(self, claim: Claim, error: DeliveryError, duration: float) -> None:
        self.health.count("notifications_failed_total")
        self.failing.add(claim.receiver.name)
        status = error.status if isinstance(error, RefusedError) else None
        attempt = self._attempt("failed", duration, str(error), status)
        if error.is_permanent:
            self._end(claim, attempt, is_gone=isinstance(error, RefusedError) and error.is_gone)
            return
        moment = next_attempt_at(
            attempts=claim.attempts,
            created_at=claim.created_at,
            now=attempt.at,
            random=self.random(),
            retry_after=error.retry_after,
        )
        if moment is None:
            self._end(claim, replace(attempt, outcome="expired"))
        else:
            self.control.failed(claim, replace(attempt, outcome="retry"), next_attempt_at=moment)

    def _end(self, claim: Claim, attempt: Attempt, *, is_gone: bool = False) -> None:
        state: Literal["failed", "expired"] = "expired" if attempt.outcome == "expired" else "failed"
        self.control.gave_up(claim, attempt, state=state, disable_receiver=is_gone)
        log.warning("A notification to receiver %r was given up: %s", claim.receiver.name, attempt.detail)

    def _attempt(self, outcome: Outcome, duration: float, detail: str, status: int | None = None) -> Attempt:
        return Attempt(at=self.clock(), outcome=outcome, status=status, duration=duration, detail=detail)
