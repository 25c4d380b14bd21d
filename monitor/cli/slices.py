"""Which requests a command is about, as people say it: since, until, where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from monitor.budgets.model import Matcher
from monitor.cli.spans import moment_of
from monitor.clock import system_clock
from monitor.errors import SettingsError

Since = Annotated[str, typer.Option(help="From when: 7d, 24h, today, month, 2026-11-01.")]
Until = Annotated[str | None, typer.Option(help="To when (not included); now if not given.")]
Where = Annotated[list[str] | None, typer.Option(help="Only some: team=search, model!=gpt-4o. May be given again.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSlice:
    """The requests in [start, end), aware, that meet all matchers."""

    start: datetime
    end: datetime
    matchers: tuple[Matcher, ...]

    def as_given(self) -> Mapping[str, str]:
        """The slice as tasks are given it."""
        where = msgspec.json.encode([str(matcher) for matcher in self.matchers]).decode()
        return {"start": self.start.isoformat(), "end": self.end.isoformat(), "where": where}

    def __str__(self) -> str:
        """The slice in words, times in UTC."""
        wheres = "".join(f", {matcher}" for matcher in self.matchers)
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC{wheres}"


def asked_slice(since: str, until: str | None, where: Sequence[str] | None, *, time_zone: str) -> AskedSlice:
    """Read it.

    Raises:
        SettingsError: a time is none, or the end is not after the beginning.
        ControlError: a matcher is none.
    """
    now = system_clock()
    start = moment_of(since, now=now, time_zone=time_zone)
    end = moment_of(until, now=now, time_zone=time_zone) if until else now
    if end <= start:
        raise SettingsError(f"--until {until or 'now'} is not after --since {since}.")
    return AskedSlice(start=start, end=end, matchers=tuple(map(Matcher.parse, where or ())))
