"""The page of single requests."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from tests.dashboard.world import NOW, World, html, make_failure, make_record, words


def _links(text: str) -> list[dict[str, str]]:
    found = re.findall(r'href="\?([^"]*)"', text)
    return [{name: values[0] for name, values in parse_qs(unescape(link)).items()} for link in found]


def _page(world: World, **params: str) -> AppTest:
    """The page with this in its address; a change of pages takes out what was there."""
    page = world.page("requests")
    for name, value in params.items():
        page.query_params[name] = value
    return page.run()


def test_the_newest_requests_stand_first_and_buttons_lead_on(world: World) -> None:
    """Fifty on a page; back leads to where one was."""
    world.add(*(make_record(ago=timedelta(minutes=number), user=f"user-{number:03}") for number in range(1, 61)))
    page = world.page("requests")
    first = re.findall(r"user-\d+", html(page))
    older = next(button for button in page.button if button.label == "Older").click().run()
    second = re.findall(r"user-\d+", html(older))
    newer = next(button for button in older.button if button.label == "Newer").click().run()

    assert [*dict.fromkeys(first)] == [f"user-{number:03}" for number in range(1, 51)]
    assert [*dict.fromkeys(second)] == [f"user-{number:03}" for number in range(51, 61)]
    assert re.findall(r"user-\d+", html(newer)) == first


def test_a_request_is_shown_with_all_that_is_known(world: World) -> None:
    """Its costs by class with their prices, every field, and the other attempts of its call."""
    failed = make_failure(ago=timedelta(minutes=11))
    world.add(failed, make_record(call_id=failed.call_id, attempt=1, trace_id="0af7651916cd43dd8448eb211c80319c"))
    (link, *_) = [link for link in _links(html(world.page("requests"))) if "request" in link]
    page = _page(world, **link)

    assert "input $0.15 per 1M tokens" in html(page)
    assert "0af7651916cd43dd8448eb211c80319c" in html(page)
    assert "All attempts of its call" in words(page)
    assert html(page).count("429 Rate limit") == 2


def test_a_request_is_found_by_its_id(world: World) -> None:
    """Or it is said how far was looked."""
    world.add(make_record(response_id="chatcmpl-1", user="found"), make_record(user="another"))
    page = world.page("requests")
    found = html(page.text_input(key="id").set_value("chatcmpl-1").run())

    assert ("found" in found, "another" in found) == (True, False)
    assert "No request has this id" in words(page.text_input(key="id").set_value("chatcmpl-2").run())


def test_a_spoilt_address_shows_the_list(world: World) -> None:
    """Nothing breaks, and nothing of it becomes HTML."""
    world.add(make_record(user="here"))
    page = _page(world, request="<b>", before="2026_x", after=f"{NOW:%Y-%m-%d}_00")

    assert not page.exception
    assert "here" in html(page)
    assert "<b>" not in html(page)


def test_filters_hold(world: World) -> None:
    """As on the other pages."""
    world.add(make_record(team="search", user="ours"), make_record(team="ads", user="theirs"))

    page = world.page("requests").multiselect(key="team").set_value(["search"]).run()

    assert "ours" in html(page)
    assert "theirs" not in html(page)
