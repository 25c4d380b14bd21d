"""`monitor up`: the server."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.context import console, load_settings
from monitor.cli.late import late
from monitor.house import House

_QUIET = ("alembic", "apscheduler", "httpcore2", "httpx2", "openai", "streamlit", "uvicorn")
"""Loggers that tell nothing of use here below a warning."""


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
    home: Annotated[Path | None, typer.Option(help="The data directory.")] = None,
) -> None:
    """Run the server: it drains the spool, watches budgets, sends alerts and serves the dashboard."""
    settings = load_settings(host=host, port=port, home=home.absolute() if home else None)
    start_logging()
    late("monitor.serve").serve(settings, ready=_ready)
    console().print("Stopped.")


def start_logging() -> None:
    """Log to the standard error, a line an event."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _ready(house: House, url: str) -> None:
    console().print(f"openai-monitor serves {url}\nData directory: {house.home.path}\nStop with Ctrl-C.")
