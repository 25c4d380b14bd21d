"""What the commands stand on: the settings of this environment, and the control store of its data directory."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.home import Home
from monitor.settings import Settings


def load_settings(**given: Any) -> Settings:
    """The settings as the environment and the nearest settings file have them; what is given wins over both.

    Raises:
        SettingsError: a setting cannot be used.
    """
    return Settings.load(os.environ, Path.cwd(), **given)


def open_control() -> Control:
    """The control store of the data directory, which is made if it is not there; the caller closes it.

    Raises:
        MonitorError: a setting, the directory or the store cannot be used.
    """
    home = Home(load_settings().home)
    home.create()
    return Control.open(home.control, system_clock)


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; what does not fit is broken into lines, never cut off."""
    table = Table()
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console().print(table)


def console() -> Console:
    """Where tables and answers are printed; bound to the standard output of this moment."""
    return Console(highlight=False, soft_wrap=False)
