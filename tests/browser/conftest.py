import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from monitor.home import Home

_ROOT = Path(__file__).parents[2]
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window.

    Closed with its module: while Playwright is open, its event loop counts as running in this thread, and other
    tests could not run one of their own.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty data directory."""
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def url(home: Home) -> Iterator[str]:
    """The address of a server of that directory, in a process of its own."""
    program = [sys.executable, "-m", "tests.browser.serve", str(home.path)]
    with subprocess.Popen(program, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new window of a size that is usual on a desk."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()
