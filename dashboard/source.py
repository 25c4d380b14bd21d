"""What the pages read from.

Streamlit runs the pages as scripts, in threads of the server's process, and hands them nothing. So this module holds
the one thing that they need: the server installs it once, before it serves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.clock import Clock
from monitor.control.store import Control
from monitor.errors import MonitorError
from monitor.ledger.backlog import Backlog
from monitor.ledger.check import Check
from monitor.ledger.ledger import Ledger
from monitor.pricing.book import PriceBook
from monitor.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the ledger is behind the spool, and how many seconds ago the drain last looked."""

    backlog: Backlog
    idle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The open stores and what else the pages must know.

    `spool_lag` is None where nothing drains, `last_check` where nothing checks; it gives None until a check was done.
    `job_faults` gives a sentence for each job whose last run failed; `propose` what to type for a provider and a model
    without a price, None where nothing can; `book` the prices of this moment, None where nobody knows them.

    `time_zone` is the IANA zone in which days begin and times are shown.
    """

    ledger: Ledger
    control: Control
    clock: Clock
    time_zone: str
    settings: Settings
    spool_lag: Callable[[], Lag] | None = None
    last_check: Callable[[], Check | None] | None = None
    job_faults: Callable[[], Sequence[str]] = tuple
    propose: Callable[[str, str], str] | None = None
    book: Callable[[], PriceBook] | None = None


_INSTALLED: Final[list[Source]] = []


def install(source: Source) -> None:
    """Let all pages of this process read from here from now on."""
    _INSTALLED[:] = [source]


def current() -> Source:
    """What was installed last.

    Raises:
        MonitorError: nothing was.
    """
    if not _INSTALLED:
        raise MonitorError("The dashboard has nothing to read from. Start it with: monitor up")
    return _INSTALLED[0]
