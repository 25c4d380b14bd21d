"""A small real store: records through a spool and the drain, a control store, and a clock that stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from streamlit.testing.v1 import AppTest

from dashboard.source import Lag, Source, install
from monitor.control.store import Control
from monitor.health import Health
from monitor.home import Home
from monitor.ledger.backlog import Backlog
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from monitor.pricing.installed import installed_price_book
from monitor.records import Record
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter
from tests.factories_alerts import FakeClock

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
MODEL = "gpt-4o-mini-2024-07-18"
UNPRICED_MODEL = "acme-intent-v3"
_TIMEOUT = 30.0


def make_record(
    *, ago: timedelta = timedelta(minutes=10), model: str = MODEL, now: datetime = NOW, **facts: object
) -> Record:
    """A record of a chat call that went well; `facts` are fields of the record."""
    record_id = uuid4().hex
    usual: dict[str, object] = {
        "record_id": record_id,
        "call_id": record_id,
        "attempt": 0,
        "started_at": now - ago,
        "duration": 0.8,
        "provider_name": "openai",
        "operation_name": "chat",
        "endpoint": "/chat/completions",
        "request_model": model,
        "response_model": model,
        "is_billable": True,
        "status": 200,
        "usage_source": "response",
        "input_tokens": 1_000_000,
        "output_tokens": 0,
        "service": "shop",
        "team": "search",
        "call_site": "shop/search.py:10",
    }
    return Record(**(usual | facts))  # type: ignore[arg-type] # checked when the drain reads it


def make_failure(*, ago: timedelta = timedelta(minutes=10), error_class: str = "rate_limit") -> Record:
    """A record of a request that was refused, if nothing else is said because of a rate limit."""
    return make_record(
        ago=ago,
        response_model=None,
        outcome="failed",
        status=429,
        error_class=error_class,
        usage_source="none",
        input_tokens=None,
        output_tokens=None,
    )


@dataclass(frozen=True, slots=True)
class World:
    """The open stores; `ledger` and `control` may be asked directly."""

    home: Home
    ledger: Ledger
    control: Control
    clock: FakeClock
    drain: Drain

    def add(self, *records: Record) -> None:
        """Store the records, as an application and the drain would."""
        writer = SpoolWriter(self.home.spool, segment_size=2**25, health=Health())
        for record in records:
            writer.end(record)
        writer.close()
        self.drain.run()

    def page(self, name: str = "overview", **params: str) -> AppTest:
        """The page as it looks when it is opened, with query parameters in its address."""
        test = AppTest.from_file(str(APP), default_timeout=_TIMEOUT)
        for key, value in params.items():
            test.query_params[key] = value
        test.run()
        return test if name == "overview" else test.switch_page(f"views/{name}.py").run()


@contextmanager
def small_world(directory: Path, *, time_zone: str = "UTC") -> Iterator[World]:
    """An empty store that the pages of this process read from."""
    home = Home(directory / "home")
    home.create()
    clock = FakeClock(NOW)
    with Ledger.open(home.ledger, clock=clock) as ledger, Control.open(home.control, clock) as control:
        install(
            Source(
                ledger=ledger,
                control=control,
                clock=clock,
                time_zone=time_zone,
                settings=Settings(home=home.path),
                book=installed_price_book,
                spool_lag=lambda: Lag(backlog=Backlog(bytes=2_048, lines=3, is_estimate=False, seconds=1.5), idle=0.2),
            )
        )
        yield World(home, ledger, control, clock, Drain(ledger, home.spool, installed_price_book(), Health()))


def figure(page: AppTest, label: str) -> str:
    """The value of the metric with this label, as people see it."""
    values = {metric.label: metric.value for metric in page.metric}
    return values[label].replace("\\", "")


def delta(page: AppTest, label: str) -> str:
    """The change that the metric with this label shows."""
    return {metric.label: metric.delta for metric in page.metric}[label]


def html(page: AppTest) -> str:
    """All HTML of the page: tables, cards, legends."""
    return "\n".join(element.proto.body for element in page.get("html"))


def words(page: AppTest) -> str:
    """All texts of the page outside tables, without the marks that keep Markdown from reading them."""
    kinds = (page.markdown, page.caption, page.error, page.info, page.success, page.warning, page.subheader, page.title)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")
