import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from monitor.health import Health
from monitor.home import Home
from monitor.spool.writer import SpoolWriter
from tests.dashboard.world import make_record

pytestmark = pytest.mark.browser

_WITHIN = 20_000
_PAUSED = re.compile(r"^Paused: figures of \d\d:\d\d:\d\d$")
_STREAMLIT_PROBE = re.compile(r"/_stcore/(health|host-config)$")


@pytest.fixture
def faults(page: Page) -> Iterator[list[str]]:
    """What the browser complains of, and what is asked of other machines; empty at the end of each test.

    Below the first page Streamlit looks for its own address by trial, and the browser reports each miss.
    """
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda message: (
            found.append(f"{message.text} {message.location['url']}")
            if message.type == "error" and not _STREAMLIT_PROBE.search(message.location["url"])
            else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            None
            if re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", request.url)
            else found.append(request.url)
        ),
    )
    yield found
    assert found == []


@pytest.fixture
def application(home: Home) -> Iterator[SpoolWriter]:
    """What writes records, as a wrapped client does."""
    writer = SpoolWriter(home.spool, segment_size=2**25, health=Health())
    yield writer
    writer.close()


def _call(application: SpoolWriter, *, number: int = 1, tokens: int = 1_000_000) -> None:
    for _ in range(number):
        record = make_record(now=datetime.now(UTC), ago=timedelta(seconds=1), input_tokens=tokens)
        assert application.end(record)


def _figure(page: Page, label: str) -> str:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    return metric.get_by_test_id("stMetricValue").inner_text(timeout=_WITHIN)


def _expect_figure(page: Page, label: str, value: str) -> None:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(value, timeout=_WITHIN)


def test_the_first_request_opens_the_overview(
    url: str, page: Page, faults: list[str], application: SpoolWriter
) -> None:
    """Whoever waits on the empty page sees the figures come by themselves."""
    page.goto(url)
    expect(page.get_by_text("No requests yet")).to_be_visible(timeout=_WITHIN)

    _call(application)

    _expect_figure(page, "Spend today", "$0.15")


def test_the_figures_move(url: str, page: Page, faults: list[str], application: SpoolWriter) -> None:
    """New requests show up without a click, and the page stays where it was scrolled to."""
    _call(application, number=3)
    page.goto(url)
    _expect_figure(page, "Requests", "3")
    main = page.get_by_test_id("stMain")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=_WITHIN)
    main.evaluate("element => { element.scrollTop = 300 }")

    _call(application, number=2)

    _expect_figure(page, "Requests", "5")
    assert main.evaluate("element => element.scrollTop") == 300


def test_a_paused_page_stands_still(url: str, page: Page, faults: list[str], application: SpoolWriter) -> None:
    """Somebody who reads a figure can keep it."""
    _call(application)
    page.goto(url)
    _expect_figure(page, "Requests", "1")
    page.get_by_text("Live", exact=True).click()
    expect(page).to_have_url(re.compile("live=false"), timeout=_WITHIN)
    # The page is made once more for the pause, and may take from the ledger what comes until then.
    expect(page.get_by_text(_PAUSED)).to_be_visible(timeout=_WITHIN)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=_WITHIN)

    _call(application)
    page.wait_for_timeout(5_000)

    assert _figure(page, "Requests") == "1"


def test_a_paused_page_tells_of_when_its_figures_are(
    url: str, page: Page, faults: list[str], application: SpoolWriter
) -> None:
    """A choice within the page reads them anew, and then the time is another."""
    _call(application)
    page.goto(f"{url}/?live=false")
    _expect_figure(page, "Requests", "1")
    before = page.get_by_text(_PAUSED).inner_text(timeout=_WITHIN)
    _call(application)
    page.wait_for_timeout(3_000)

    page.get_by_text("Service", exact=True).first.click()

    _expect_figure(page, "Requests", "2")
    assert page.get_by_text(_PAUSED).inner_text() > before


def test_a_chart_is_never_blank_while_it_changes(
    url: str, page: Page, faults: list[str], application: SpoolWriter
) -> None:
    """In every frame there is a visible chart with bars, though its figure changes all the time."""
    _call(application)
    page.goto(url)
    expect(page.locator(".bars path").first).to_be_attached(timeout=_WITHIN)
    page.wait_for_timeout(1_000)
    page.evaluate(_WATCH)

    for number in range(2, 7):
        _call(application, number=number)
        page.wait_for_timeout(2_000)

    assert page.evaluate("window.frames_seen") > 20
    assert page.evaluate("window.frames_blank") == 0


_WATCH = """() => {
    window.frames_seen = 0;
    window.frames_blank = 0;
    const isShown = bar => getComputedStyle(bar).visibility === "visible" && bar.getBoundingClientRect().height > 20;
    const look = () => {
        const bars = [...document.querySelectorAll("[class*=st-key-steady_requests] .bars path")];
        window.frames_seen += 1;
        window.frames_blank += bars.some(isShown) ? 0 : 1;
        requestAnimationFrame(look);
    };
    look();
}"""


def test_all_pages_can_be_reached(url: str, page: Page, faults: list[str], application: SpoolWriter) -> None:
    """Each page is one click away and shows no error."""
    _call(application)
    page.goto(url)
    _expect_figure(page, "Requests", "1")

    page.get_by_role("link", name="Budgets & alerts").click()
    expect(page.get_by_text("No budget yet")).to_be_visible(timeout=_WITHIN)
    page.get_by_role("link", name="Data quality").click()
    expect(page.get_by_text("Requests of unknown cost")).to_be_visible(timeout=_WITHIN)

    assert page.get_by_test_id("stException").count() == 0


def test_a_narrow_screen_scrolls_in_one_direction_only(
    url: str, page: Page, faults: list[str], application: SpoolWriter
) -> None:
    """At 600 pixels nothing sticks out of the page."""
    _call(application)
    page.set_viewport_size({"width": 600, "height": 900})
    page.goto(url)
    _expect_figure(page, "Requests", "1")
    expect(page.get_by_text("Latest requests")).to_be_visible(timeout=_WITHIN)

    assert page.get_by_test_id("stMain").evaluate("element => element.scrollWidth <= element.clientWidth")
