"""`monitor demo`: everything at work on made-up traffic."""

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.context import console, load_settings
from monitor.cli.late import late
from monitor.cli.up import start_logging
from monitor.errors import SettingsError


def demo(
    home: Annotated[
        Path | None, typer.Option(help="Where to put the data; kept at the end. A temporary directory if not given.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary directory at the end.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="Days of history.")] = 30,
    pace: Annotated[float, typer.Option(help="How busy the made-up company is; 1 is about five calls a second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same history.")] = 7,
    is_opened: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Show everything at work: a pretended OpenAI API, a company that calls it, 30 days of history, live alerts."""
    if not 0 < pace <= 100:
        raise SettingsError(f"--pace is {pace}; it must be above 0 and at most 100.")
    settings = load_settings(host=host, port=port)
    start_logging()
    run = late("monitor.demo.run")
    options = run.DemoOptions(home=home, is_kept=keep, days=days, pace=pace, seed=seed)

    def ready(url: str) -> None:
        console().print(f"The demo runs: open {url}\nStop with Ctrl-C.")
        if is_opened and sys.stdin.isatty():
            _open(url)

    run.run_demo(settings, options, say=lambda line: console().print(line, markup=False), ready=ready)
    console().print("The demo has ended.")


def _open(url: str) -> None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    # A browser that runs in this terminal would take it over.
    if not isinstance(browser, webbrowser.GenericBrowser) or isinstance(browser, webbrowser.BackgroundBrowser):
        browser.open(url)
