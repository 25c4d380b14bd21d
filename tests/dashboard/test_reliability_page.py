from datetime import timedelta
from typing import Any

import pytest

from dashboard.charts import Mark, Series, TimeAxis
from dashboard.lines import lines_over_time
from monitor.health import Health
from monitor.records import Begin, Record
from monitor.spool.writer import SpoolWriter
from tests.dashboard.world import MODEL, NOW, World, figure, html, make_failure, make_record, words

_REFUSED: dict[str, Any] = {
    "response_model": None,
    "outcome": "failed",
    "status": 429,
    "error_class": "rate_limit",
    "error_reason": "tokens",
    "usage_source": "none",
    "input_tokens": None,
    "output_tokens": None,
    "duration": 2.0,
}


def _after(page: str, *parts: str) -> bool:
    """Whether the page says all of this in this order."""
    place = 0
    for part in parts:
        place = page.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def _retried(**facts: object) -> tuple[Record, Record]:
    """A refused attempt of two seconds and, three seconds later, an answer."""
    first = make_record(**(_REFUSED | facts))
    ago = timedelta(minutes=10) - timedelta(seconds=5)
    return first, make_record(ago=ago, call_id=first.call_id, attempt=1)


def test_an_empty_ledger_shows_how_to_begin(world: World) -> None:
    """Before the first request the page shows the lines of code that make it."""
    page = world.page("reliability")

    assert len(page.exception) == 0
    assert "client = monitor.wrap(OpenAI())" in page.code[0].value


def test_a_period_without_requests_says_what_to_do(world: World) -> None:
    """Instead of empty charts there is a sentence."""
    world.add(make_record(ago=timedelta(days=2)))

    page = world.page("reliability", period="Last hour")
    assert "Choose a longer period or fewer filters" in words(page)
    assert len(page.get("plotly_chart")) == 0


def test_where_all_is_well_the_page_says_so(world: World) -> None:
    """No errors, no retries; and headers of limits that never came are asked for."""
    world.add(make_record())
    page = world.page("reliability")

    assert len(page.exception) == 0
    assert figure(page, "Failed") == "0"
    assert "No request failed in this period." in words(page)
    assert "needed a second attempt" in words(page)
    assert "No answer in this period stated a rate limit." in words(page)


def test_errors_are_listed_by_class_and_reason(world: World) -> None:
    """With their share of all requests and of all errors, when last, and an example."""
    world.add(
        make_record(),
        make_record(**_REFUSED, call_site="shop/old.py:1", ago=timedelta(minutes=30)),
        make_record(**_REFUSED, call_site="shop/new.py:2"),
        make_failure(),
    )
    page = world.page("reliability")

    assert figure(page, "Failed") == "3"
    assert _after(html(page), "Rate limit", "tokens", "67%", ">2<", "50%", "11:50:00", MODEL, "shop/new.py:2")
    assert _after(html(page), "not told", "33%", ">1<", "25%")
    assert "shop/old.py:1" not in html(page)


@pytest.mark.parametrize(("split", "name"), [("Class", ">Rate limit<"), ("Reason", ">Rate limit: tokens<")])
def test_errors_over_time_are_split_by_class_or_reason(world: World, split: str, name: str) -> None:
    """The choice stands in the address."""
    world.add(make_record(**_REFUSED))

    assert f'"om-legend"><span style="--colour:#0072B2"{name}' in html(world.page("reliability", errors_by=split))


def test_the_ninth_kind_of_error_is_among_the_others(world: World) -> None:
    """Eight have a colour; the table names them all."""
    reasons = [f"reason_{number}" for number in range(9)]
    world.add(*(make_record(**_REFUSED | {"error_reason": reason}) for reason in reasons))
    page = html(world.page("reliability", errors_by="Reason"))

    assert ">all others<" in page
    assert all(f"reason {number}" in page for number in range(9))


def test_requests_broken_off_unknown_and_under_way_stand_apart(world: World) -> None:
    """None of them failed."""
    world.add(make_record(outcome="interrupted"), make_record(outcome="unknown", status=None), make_record())
    writer = SpoolWriter(world.home.spool, segment_size=2**25, health=Health())
    begun = make_record()
    writer.begin(Begin(**{name: getattr(begun, name) for name in Begin.__struct_fields__}))
    world.drain.run()
    page = world.page("reliability")

    found = [figure(page, label) for label in ("Failed", "Broken off", "Outcome unknown", "Under way now")]
    assert found == ["0", "1", "1", "1"]
    assert {metric.label: metric.delta for metric in page.metric}["Under way now"] == "oldest for 10 min 0 s"
    writer.close()


def test_retries_tell_what_was_lost(world: World) -> None:
    """How many calls, how they ended, seconds, tokens, money, and the worst of them."""
    broken: dict[str, Any] = {"error_class": "connection", "outcome": "interrupted", "usage_source": "estimated"}
    world.add(
        *_retried(),
        *_retried(call_site="shop/slow.py:9", duration=4.0, input_tokens=1_000_000, output_tokens=0, **broken),
        make_record(),
        make_record(),
    )
    page = world.page("reliability")

    labels = ("Calls retried", "Succeeded in the end", "Lost in failed attempts", "Cost of failed attempts")
    assert [figure(page, label) for label in labels] == ["2", "2", "6.0 s", "$0.15"]
    deltas = {metric.label: metric.delta for metric in page.metric}
    assert [deltas[label] for label in labels] == [
        "50% of calls",
        "100% of those retried",
        "and 4.0 s waiting",
        "1.00 M tokens in, 0 out",
    ]
    assert _after(html(page), "Lost waiting", "4.0 s", "1.0 s", ">2<", "OK", "Connection failed", "shop/slow.py:9")
    assert _after(html(page), "Lost waiting", "2.0 s", "3.0 s", ">2<", "OK", "Rate limit", "shop/search.py:10")


def test_cost_that_nobody_knows_is_no_zero(world: World) -> None:
    """A refusal states no usage."""
    world.add(*_retried())

    assert figure(world.page("reliability"), "Cost of failed attempts") == "–"


def test_speed_is_told_by_model(world: World) -> None:
    """Percentiles of the duration; of streams those of the first chunk and the flow too."""
    stream: dict[str, Any] = {"is_streaming": True, "duration": 3.0, "time_to_first_chunk": 1.0, "output_tokens": 100}
    world.add(make_record(**stream), make_record(model="o3", duration=0.5))
    page = html(world.page("reliability"))

    # Speeds are kept in buckets: at most 2 % off.
    assert any(
        _after(page, "Output tokens/s p50", MODEL, ">3.0 s<", ">980 ms<", rate) for rate in (">49<", ">50<", ">51<")
    )
    assert _after(page, "Output tokens/s p50", ">o3<", " ms<", "–", "–", "–", "–", "–")


def test_first_chunks_are_those_of_streams(world: World) -> None:
    """Where there was none the page says what to do."""
    world.add(make_record())

    assert "Call with stream=True." in words(world.page("reliability", speed_of="First chunk"))
    world.add(make_record(is_streaming=True, time_to_first_chunk=0.2))
    assert "stream=True" not in words(world.page("reliability", speed_of="First chunk"))


def test_the_limit_nearest_to_its_end_stands_first(world: World) -> None:
    """With its key, what is left now, and how many requests it turned away."""
    key: dict[str, Any] = {"key_fingerprint": "5d41402abc4b2a76", "key_hint": "w7Qa", "tokens_limit": 2_000}
    world.add(
        make_record(model="o3", **key, tokens_remaining=1_800),
        make_record(**_REFUSED | key, tokens_remaining=40, ago=timedelta(minutes=20)),
        make_record(**key, tokens_remaining=1_000, tokens_reset=30.0),
    )
    page = html(world.page("reliability"))

    assert _after(page, "Least left", MODEL, "…w7Qa", "tokens", "2.0%", ">1<", "used up", "11:40:00", "1,000", "2,000")
    assert _after(page, "Least left", MODEL, "30 s", "11:50:00", ">o3<", "90%", "enough")


def test_a_limit_that_was_passed_is_shown(world: World) -> None:
    """More than was provisioned can be used; the bar is empty then."""
    world.add(make_record(other_limits={"deployment-utilization": 130.0}))

    assert _after(html(world.page("reliability")), "deployment utilization", "width:0.0%", "-30%", "used up")


def test_many_limits_are_cut_to_the_nearest(world: World) -> None:
    """The page says so."""
    world.add(*(make_record(model=f"m{n:02}", requests_limit=100, requests_remaining=n) for n in range(14)))
    page = world.page("reliability")

    assert "The 12 limits that came nearest" in words(page)
    assert ">m11<" in html(page).split("Least left")[1].split("</table>")[0]
    assert ">m12<" not in html(page).split("Least left")[1].split("</table>")[0]


def test_filters_hold(world: World) -> None:
    """The filters are those of the overview."""
    world.add(make_failure(), make_record(**_REFUSED | {"team": "ads"}), make_record(**_REFUSED | {"team": "ads"}))

    page = world.page("reliability")

    assert figure(page.multiselect(key="team").set_value(["ads"]).run(), "Failed") == "2"


def test_names_from_outside_are_not_html(world: World) -> None:
    """A reason, a model and a key called like tags are shown, not run."""
    evil = "<img src=x onerror=alert(1)>"
    facts = {"error_reason": evil, "call_site": evil, "key_hint": evil, "request_model": evil}
    world.add(*_retried(**facts, requests_limit=5, requests_remaining=1))

    assert "<img" not in html(world.page("reliability", errors_by="Reason"))


@pytest.mark.parametrize("period", ["Last hour", "Today", "Last 7 days", "This month"])
def test_each_period_shows_all_parts(world: World, period: str) -> None:
    """Minutes, hours and days are steps of the charts."""
    world.add(*_retried(requests_limit=5, requests_remaining=1))
    page = world.page("reliability", period=period)

    assert len(page.exception) == 0
    assert (figure(page, "Failed"), figure(page, "Calls retried")) == ("1", "1")


def test_a_line_is_broken_where_nothing_is_known() -> None:
    """Instead of a straight line over hours without requests."""
    marks = [Mark(start=NOW + timedelta(hours=hour), height=1, text="1.0 s") for hour in (0, 1, 5)]
    axis = TimeAxis(start=NOW, end=NOW + timedelta(hours=9), step="hour", time_zone="UTC")
    series = [Series(name="p99", colour="#000", marks=marks)]

    assert list(lines_over_time(series, axis, suffix=" s", height=100).data[0].y) == [1, 1, None, 1]
