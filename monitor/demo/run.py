"""The demo from beginning to end: a data directory with a past, a pretended API, a company at work, and the server."""

import logging
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

import msgspec

from monitor.budgets.model import Matcher, parse_period
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.demo.budgets import DemoBudget, budgets_for
from monitor.demo.fake_api import FakeOpenAI
from monitor.demo.history import HistorySummary, write_history
from monitor.demo.inbox import Inbox
from monitor.demo.workload import Workload
from monitor.health import Health
from monitor.home import Home
from monitor.house import House
from monitor.notifiers.webhook import webhook_config
from monitor.serve import serve
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter

log = logging.getLogger(__name__)

RECEIVER = "demo-inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What can be chosen. `home` None is a temporary directory, which goes at the end unless `is_kept`."""

    home: Path | None
    is_kept: bool
    days: int
    pace: float
    seed: int


def run_demo(
    settings: Settings, options: DemoOptions, *, say: Callable[[str], None], ready: Callable[[str], None]
) -> None:
    """Run the demo in the foreground until Ctrl-C or SIGTERM.

    Args:
        settings: where to listen; the data directory is chosen by the options.
        options: the demo's own.
        say: takes a line for the person who watches.
        ready: called with the address of the dashboard when it can be opened.

    Raises:
        MonitorError: the port or the data directory cannot be used.
    """
    with _left_in_order(), _home(options) as path, ExitStack() as open_things:
        settings = msgspec.structs.replace(settings, home=path, budget_interval=2.0, delivery_interval=1.0)
        home = Home(path)
        home.create()
        inbox = open_things.enter_context(Inbox(lambda line: say(f"Alert delivered by webhook: {line}")))
        api = open_things.enter_context(FakeOpenAI(seed=options.seed))
        summary = _prepare(home, settings, options, say)
        with Control.open(home.control, system_clock) as control:
            _add_receiver(control, inbox)
            if summary is not None:
                _add_budgets(control, budgets_for(summary, pace=options.pace), settings.time_zone)
        workload = Workload(api.base_url, settings, pace=options.pace)
        open_things.callback(workload.stop)

        def is_up(house: House, url: str) -> None:
            house.drain.run()
            workload.start()
            ready(url)

        serve(settings, ready=is_up)


@contextmanager
def _left_in_order() -> Iterator[None]:
    """Let SIGTERM put everything away, as Ctrl-C does, while the server does not yet take it."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what the system passes
    raise SystemExit(128 + number)


@contextmanager
def _home(options: DemoOptions) -> Iterator[Path]:
    if options.home is not None:
        yield options.home.absolute()
        return
    path = Path(tempfile.mkdtemp(prefix="openai-monitor-demo-"))
    try:
        yield path
    finally:
        if not options.is_kept:
            shutil.rmtree(path, ignore_errors=True)


def _prepare(home: Home, settings: Settings, options: DemoOptions, say: Callable[[str], None]) -> HistorySummary | None:
    """Write the past, unless the directory has one already: then None."""
    if home.ledger.exists() or any(home.spool.iterdir()):
        say(f"{home.path} has data already; the demo goes on with it.")
        return None
    say(f"Making {options.days} days of history …")
    writer = SpoolWriter(home.spool, segment_size=settings.segment_size, health=Health())
    summary = write_history(
        writer,
        now=system_clock(),
        days=options.days,
        seed=options.seed,
        zone=ZoneInfo(settings.time_zone),
        secret=home.secret(),
    )
    writer.close()
    return summary


def _add_receiver(control: Control, inbox: Inbox) -> None:
    """Let the inbox receive; it has another port each time, so the receiver of an earlier demo gives way to it."""
    notifying = [budget for budget in control.list_budgets() if RECEIVER in budget.receivers]
    for budget in notifying:
        others = tuple(name for name in budget.receivers if name != RECEIVER)
        control.replace_budget(budget.name, receivers=others)
    if RECEIVER in {receiver.name for receiver in control.list_receivers()}:
        control.remove_receiver(RECEIVER)
    config = webhook_config(url=inbox.url)
    inbox.secret = str(config["secret"])
    control.add_receiver(name=RECEIVER, kind="webhook", config=config)
    for budget in notifying:
        control.replace_budget(budget.name, receivers=budget.receivers)


def _add_budgets(control: Control, budgets: list[DemoBudget], time_zone: str) -> None:
    for budget in budgets:
        control.add_budget(
            name=budget.name,
            amount=budget.amount,
            period=parse_period(budget.period),
            time_zone=time_zone,
            scope=tuple(Matcher(dimension=name, values=(value,)) for name, value in budget.scope.items()),
            thresholds=budget.thresholds,
            receivers=(RECEIVER,),
        )
