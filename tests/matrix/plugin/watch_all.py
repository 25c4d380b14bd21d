"""A plugin for pytest that watches every client where MONITOR_SUITE_WATCHES says so, and puts down how tests ended.

It is loaded beside the tests of the SDK, whose package is called `tests` too; so of ours it imports only monitor.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

import monitor
from monitor.capture.wrap import HEALTH
from monitor.settings import Settings

_FOLDER: Final = Path(os.environ["MONITOR_SUITE_FOLDER"])
_ORDER: Final = ("passed", "skipped", "failed")

_ended: dict[str, str] = {}
_told: dict[str, str] = {}
_faulty: list[str] = []
"""Tests in which a fault of ours was caught, or a line was dropped."""


def pytest_configure(config: pytest.Config) -> None:
    if os.environ["MONITOR_SUITE_WATCHES"] == "1":
        monitor.instrument(settings=Settings(home=_FOLDER / "home"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    before = _ended.get(report.nodeid, "passed")
    _ended[report.nodeid] = max(before, report.outcome, key=_ORDER.index)
    if report.failed:
        _told[report.nodeid] = str(report.longrepr)[-6_000:]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    before = HEALTH.counts()
    result = yield
    if HEALTH.counts() != before:
        _faulty.append(item.nodeid)
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        (_FOLDER / "ended.json").write_text(json.dumps({"ended": _ended, "told": _told}))
    (_FOLDER / f"faulty-{worker or 'main'}.json").write_text(json.dumps(_faulty))
