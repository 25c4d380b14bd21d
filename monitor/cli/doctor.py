"""`monitor doctor`: where the data are, whether all is well, and how to mend what is not."""

import os
import platform
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import httpx2
import typer
from rich.table import Table
from rich.text import Text

from monitor.alerts.wording import counted
from monitor.cli.asking import RunningServer, running_server
from monitor.cli.context import console, load_settings
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.errors import ControlError, LeaseError, MonitorError
from monitor.home import Home
from monitor.house import House
from monitor.ledger import queries
from monitor.ledger.backlog import headless_of
from monitor.settings import Settings, unknown_variables
from monitor.spool.reader import list_segments, shown

_PACKAGES = ("openai", "duckdb", "streamlit", "genai-prices", "sqlmodel", "apscheduler")
_OPEN_BITS = stat.S_IRWXG | stat.S_IRWXO
_AS_IT_SAYS: Final = "Do so, and run monitor doctor again."
"""What to do about a store that cannot be opened: its error says how to mend that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` is what to do; None when it is well."""

    what: str
    found: str
    mend: str | None = None


def doctor() -> None:
    """Look at the data directory, the spool, the stores and the server; exit status 1 when something is wrong."""
    settings = load_settings()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    faulty = 0
    for finding in _findings(settings):
        is_well = finding.mend is None
        faulty += not is_well
        mark = Text("ok", style="green") if is_well else Text("!!", style="bold red")
        table.add_row(mark, finding.what, Text(finding.found))
        if finding.mend is not None:
            table.add_row("", "", Text(f"→ {finding.mend}"))
    console().print(table)
    if faulty:
        raise typer.Exit(1)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("versions", f"openai-monitor {version('openai-monitor')}, Python {platform.python_version()}")
    yield Finding("packages", ", ".join(_versions()))
    yield from _variables()
    home = Home(settings.home)
    if not home.path.exists():
        yield Finding(
            "data directory",
            f"{home.path} does not exist yet",
            "Make a call with a wrapped client or run monitor up; set MONITOR_HOME if your app uses another place.",
        )
        return
    yield from _permissions(home)
    yield from _receivers(settings, home)
    yield from _spool(home)
    server = running_server(home)
    if server is not None and (finding := _server(server)) is not None:
        yield finding
    else:
        yield from _stores(settings)


def _versions() -> Iterator[str]:
    for package in _PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"{package} is not installed"


def _variables() -> Iterator[Finding]:
    unknown = unknown_variables(os.environ)
    if unknown:
        yield Finding(
            "settings",
            f"{', '.join(unknown)}: no such setting, ignored",
            "Check the spelling against docs/settings.md.",
        )


def _permissions(home: Home) -> Iterator[Finding]:
    yield Finding("data directory", str(home.path))
    for path in (home.path, home.spool, home.content, home.ledger, home.control, home.secret_file):
        if path.exists() and path.stat().st_mode & _OPEN_BITS:
            mode = stat.S_IMODE(path.stat().st_mode)
            yield Finding("permissions", f"{path} is open to others ({mode:04o})", f"Run: chmod go-rwx {path}")
    if not os.access(home.path, os.W_OK) or (home.spool.exists() and not os.access(home.spool, os.W_OK)):
        yield Finding(
            "permissions", f"{home.path} cannot be written", "Give this user the directory, or set MONITOR_HOME."
        )
    disk = os.statvfs(home.path)
    free = disk.f_bavail * disk.f_frsize
    mend = "Free some space: records are dropped when the disk is full." if free < 2**30 else None
    yield Finding("disk", f"{free / 2**30:.1f} GiB free", mend)


def _receivers(settings: Settings, home: Home) -> Iterator[Finding]:
    if not settings.unpriced_receivers or not home.control.exists():
        return
    try:
        with Control.open(home.control, system_clock) as control:
            known = [receiver.name for receiver in control.list_receivers()]
    except MonitorError as error:
        yield Finding("receivers", str(error), _AS_IT_SAYS)
        return
    for name in settings.unpriced_receivers:
        if name not in known:
            mend = f"Add it with monitor receiver add, or set unpriced_receivers to some of: {', '.join(known) or '–'}."
            yield Finding("receivers", f"unpriced_receivers names {name}, and there is no such receiver", mend)


def _spool(home: Home) -> Iterator[Finding]:
    segments, headless = list_segments(home.spool)
    size = sum(segment.size() for segment in segments)
    living = sum(not segment.is_writer_gone() for segment in segments)
    yield Finding(
        "spool",
        f"{counted(len(segments), 'segment')}, {size / 2**20:.1f} MiB, {living} of them being written by a program now",
    )
    if home.content.exists():
        contents, more = list_segments(home.content)
        size = sum(segment.size() for segment in contents)
        yield Finding(
            "contents", f"prompts and answers are kept: {counted(len(contents), 'segment')}, {size / 2**20:.1f} MiB"
        )
        headless += more
    old = [path for path in headless if _age(path) > 60]
    if old:
        found = headless_of(old, datetime.now(UTC))
        yield Finding(
            "spool",
            f"{len(old)} files without a readable header, such as {shown(old[0].name)}, "
            f"of {found.bytes + found.waiting:,} bytes in all",
            "Look at them and remove them.",
        )


def _age(path: Path) -> float:
    return datetime.now(UTC).timestamp() - path.lstat().st_mtime


def _server(server: RunningServer) -> Finding | None:
    try:
        shown = {"authorization": f"Bearer {server.token}"}
        state = httpx2.get(f"{server.url}/api/health", headers=shown, timeout=10, trust_env=False).json()
    except (httpx2.HTTPError, ValueError):
        return None
    found = f"{server.url} (process {server.pid}), {state['spool_bytes_waiting']:,} bytes wait on the spool"
    if state["status"] == "ok":
        return Finding("server", found)
    return Finding("server", found, state["status"])


def _stores(settings: Settings) -> Iterator[Finding]:
    yield Finding("server", "does not run; start it with: monitor up")
    try:
        with House(settings) as house:
            waiting = house.drain.waiting()
            losses = queries.losses(house.ledger)
            first = queries.first_request_at(house.ledger)
            lists = ", ".join(queries.price_lists(house.ledger)) or "none used yet"
    except LeaseError as error:
        yield Finding("ledger", str(error), "Try again in a moment; if it stays so, stop that process.")
        return
    except MonitorError as error:
        yield Finding("control store" if isinstance(error, ControlError) else "ledger", str(error), _AS_IT_SAYS)
        return
    yield Finding("ledger", f"opens; oldest requests from {first:%Y-%m-%d %H:%M} UTC" if first else "opens; is empty")
    yield Finding("prices", lists)
    yield Finding("spool lag", f"{waiting:,} bytes wait; monitor report or monitor up drains them")
    quarantined = losses.pop("quarantined")
    if quarantined:
        yield Finding("quarantine", f"{quarantined} damaged lines", "See them on the page Data quality.")
    for reason, count in losses.items():
        yield Finding("dropped", f"{count} records were dropped: {reason}", "Free the disk or fix the permissions.")
