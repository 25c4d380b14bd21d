"""Where everything is built and joined: the house that a server, a report or a demo lives in. Without the pages."""

import logging
import random
import secrets
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any, Self

import msgspec

import monitor
from monitor import api
from monitor.alerts.model import Receiver
from monitor.clock import Clock, system_clock
from monitor.control.store import Control
from monitor.errors import LedgerError
from monitor.health import Health
from monitor.home import Home
from monitor.jobs.budgets import evaluate_budgets
from monitor.jobs.chest import Chest
from monitor.jobs.delivery import deliver_due
from monitor.jobs.drain_loop import DrainLoop
from monitor.jobs.price_desk import PriceDesk
from monitor.jobs.prices import refresh_price_list
from monitor.jobs.runner import JobRunner
from monitor.jobs.schedule import Job, Schedule
from monitor.jobs.tasks import TASKS
from monitor.jobs.unpriced import raise_unpriced
from monitor.jobs.upkeep import compact
from monitor.ledger.check import Check, check, require_agreement
from monitor.ledger.contents import ContentDrain, forget_contents
from monitor.ledger.drain import Drain
from monitor.ledger.lease import Lease
from monitor.ledger.ledger import Ledger
from monitor.ledger.overview_queries import spend_of
from monitor.ledger.price_queries import unpriced_since
from monitor.ledger.retention import forget
from monitor.ledger.unfinished import refuse_unfinished
from monitor.notifiers.model import Notifier
from monitor.notifiers.registry import notifier_for
from monitor.settings import Settings

log = logging.getLogger(__name__)

_SUPERVISION_INTERVAL = 10.0
_UNPRICED_INTERVAL = 60.0
_RETENTION_INTERVAL = 3_600.0
_CHECKED_DAYS = 2
_MOST_SHOWN = 500
_PIECES_KEPT = timedelta(days=400)


class House:
    """The stores, the drain and the jobs of one data directory; it owns the directory while it is open."""

    def __init__(self, settings: Settings, *, clock: Clock = system_clock, recovering: Lease | None = None) -> None:
        """Open or create everything; nothing runs in the background until `start`.

        Args:
            settings: where it is, and how often what is done.
            clock: tells the time.
            recovering: the lease, where the caller holds it and goes on with a recovery; it stays the caller's. To
                others a ledger is not opened whose recovery is not finished.

        Raises:
            LeaseError: another process has the data directory.
            MonitorError: a store cannot be opened; the text says what to do.
        """
        self.settings = settings
        self.clock = clock
        self.health = Health()
        self.home = Home(settings.home)
        self.home.create()
        self._stopping = threading.Event()
        self.token = secrets.token_urlsafe(32)
        with ExitStack() as opened:
            if recovering is None:
                opened.enter_context(Lease(self.home.lease))
                refuse_unfinished(self.home.ledger)
            self.ledger = opened.enter_context(
                Ledger.open(self.home.ledger, clock=clock, memory=settings.ledger_memory)
            )
            self.control = opened.enter_context(Control.open(self.home.control, clock))
            self._opened = opened.pop_all()
        self.prices = PriceDesk(self.ledger, self.control, settings.deployments, self.health, self.home.own_prices)
        self.drain = Drain(self.ledger, self.home.spool, self.prices.book(), self.health)
        self.runner = JobRunner(clock, self.health)
        contents = ContentDrain(self.ledger, self.home.content, self.health)
        self.loop = DrainLoop(self.drain, self.runner, interval=settings.drain_interval, contents=contents)
        self.schedule = Schedule(self._jobs(), self.runner)
        self.checked: Check | None = None

    def start(self) -> None:
        """Start the drain and the jobs."""
        self.loop.start()
        self.schedule.start()

    def stop(self) -> None:
        """Stop jobs and drain; what waits on the spool is drained first. The stores stay open."""
        self._stopping.set()
        self.schedule.stop()
        self.loop.stop()

    def close(self) -> None:
        """Close the stores and give the data directory back."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, question: api.Question) -> dict[str, Any]:
        """Answer a report over everything that was on the spool when it was asked."""
        self.loop.drain_now()
        return api.report(self.ledger, question)

    def show(self, name: str) -> dict[str, Any]:
        """Answer with the requests that have this id, of all that was on the spool when it was asked."""
        self.loop.drain_now()
        return api.show(self.ledger, name)

    def do(self, task: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Do one of the ledger's tasks, with what is given for it; the answer has its name under `task`.

        Raises:
            LedgerError: there is no such task, something is missing for it, or it could not be done.
        """
        found = TASKS.get(task)
        if found is None:
            raise LedgerError(f"{task!r} is no task of the ledger. There are: {', '.join(TASKS)}.")
        chest = Chest(
            ledger=self.ledger,
            home=self.home,
            drain=self.loop.drain_now,
            read_again=self.loop.read_again,
            control=self.control,
            book=self.prices.book,
            take_up_prices=self._take_up_prices,
        )
        try:
            return {"task": task, **found(chest, given)}
        except (KeyError, ValueError, msgspec.MsgspecError) as error:
            # A whole file may be given.
            shown = f"{dict(given)}"[:_MOST_SHOWN]
            raise LedgerError(f"The task {task} cannot be done with {shown}: {error}.") from error

    def _check(self) -> None:
        self.checked = check(self.ledger, last_days=_CHECKED_DAYS)
        require_agreement(self.checked)

    def job_faults(self) -> list[str]:
        """What is wrong with the last runs of the jobs, each in a sentence."""
        states = self.runner.states().items()
        return [f"The job {name} failed: {state.last_fault}" for name, state in states if state.last_fault]

    def state(self) -> dict[str, Any]:
        """The server's health as plain values; `status` is `ok`, or says in a sentence what is wrong."""
        jobs, waiting = self.runner.states(), self.drain.backlog()
        faults = self.job_faults()
        if not self.loop.is_alive():
            faults.append("The drain does not run.")
        faults += waiting.faults
        return {
            "status": " ".join(faults) or "ok",
            "version": monitor.__version__,
            "home": str(self.home.path),
            "spool_bytes_waiting": waiting.bytes,
            "spool_lines_waiting": waiting.lines,
            "spool_seconds_waiting": None if waiting.seconds is None else round(waiting.seconds, 3),
            "spool_files_headless": waiting.headless.files,
            "spool_bytes_headless": waiting.headless.bytes,
            "drain_idle_seconds": round(self.loop.idle_for(), 3),
            "counters": dict(self.health.counts()),
            "jobs": {
                name: {
                    "runs": job.runs,
                    "faults": job.faults,
                    "last_run_at": job.last_run_at.isoformat() if job.last_run_at else None,
                    "last_duration": job.last_duration,
                    "last_fault": job.last_fault,
                }
                for name, job in jobs.items()
            },
        }

    def _notifier_of(self, receiver: Receiver) -> Notifier:
        return notifier_for(receiver, self.settings)

    def _refresh_prices(self) -> None:
        refresh_price_list(self._take_up_prices, may_download=self.settings.price_download)

    def _take_up_prices(self) -> int:
        return self.prices.take_up(self.drain.use)

    def _jobs(self) -> list[Job]:
        settings = self.settings
        evaluate = partial(
            evaluate_budgets, self.control, partial(spend_of, self.ledger), self.clock, settings.public_url
        )
        unpriced = partial(
            raise_unpriced,
            self.control,
            partial(unpriced_since, self.ledger),
            self.prices.propose,
            self.clock,
            receivers=settings.unpriced_receivers,
            time_zone=settings.time_zone,
            public_url=settings.public_url,
        )
        deliver = partial(
            deliver_due,
            self.control,
            self._notifier_of,
            clock=self.clock,
            health=self.health,
            random=random.random,
            is_stopping=self._stopping.is_set,
        )
        keep = partial(compact, self.ledger, self.home.spool, keep=settings.spool_keep, limit=settings.spool_limit)
        let_go = partial(
            forget_contents, self.ledger, self.home.content, keep=timedelta(days=settings.content_retention)
        )
        retain = partial(
            forget,
            self.ledger,
            requests=_days(settings.keep_requests),
            rollup=_days(settings.keep_rollup),
            pieces=_PIECES_KEPT,
            health=self.health,
        )
        return [
            Job(name="drain supervision", interval=_SUPERVISION_INTERVAL, run=self.loop.supervise),
            Job(name="prices", interval=settings.price_interval, run=self._refresh_prices, is_first_at_once=True),
            Job(name="budgets", interval=settings.budget_interval, run=evaluate),
            Job(name="unpriced", interval=_UNPRICED_INTERVAL, run=unpriced),
            Job(name="delivery", interval=settings.delivery_interval, run=deliver),
            Job(name="compaction", interval=settings.compaction_interval, run=keep),
            Job(name="contents", interval=settings.compaction_interval, run=let_go),
            Job(name="retention", interval=_RETENTION_INTERVAL, run=retain),
            Job(name="check", interval=settings.check_interval, run=self._check),
        ]


def _days(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)
