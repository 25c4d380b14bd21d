import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.proto.Metric_pb2 import Metric

from dashboard.formats import money
from monitor.ledger import queries
from monitor.ledger.scopes import Slice
from tests.dashboard.world import (
    NOW,
    UNPRICED_MODEL,
    World,
    delta,
    figure,
    html,
    make_failure,
    make_record,
    small_world,
    words,
)

_LONG_AGO = timedelta(days=70)


def test_an_empty_ledger_shows_how_to_begin(world: World) -> None:
    """Before the first request the page shows the lines of code that make it, and no chart."""
    page = world.page()

    assert "client = monitor.wrap(OpenAI())" in page.code[0].value
    assert len(page.get("plotly_chart")) == 0


def test_the_page_renders(world: World) -> None:
    """With requests of all kinds nothing fails."""
    world.add(make_record(), make_failure(), make_record(model=UNPRICED_MODEL), make_record(outcome="interrupted"))

    assert len(world.page().exception) == 0


def test_spend_today_is_what_the_ledger_says(world: World) -> None:
    """The figure is the list cost of the requests since midnight."""
    world.add(make_record(), make_record(ago=timedelta(hours=3)), make_record(ago=timedelta(hours=13)))

    today = Slice(start=NOW.replace(hour=0), end=NOW)
    cost = queries.totals(world.ledger, today).list_cost
    assert cost == Decimal("0.3")
    assert figure(world.page(), "Spend today") == money(cost) == "$0.30"


def test_days_begin_in_the_time_zone_of_the_pages(tmp_path: Path) -> None:
    """Where midnight is earlier than in UTC, a request before midnight UTC is one of today."""
    with small_world(tmp_path, time_zone="Europe/Berlin") as world:
        world.add(make_record(ago=timedelta(hours=13)))

        assert figure(world.page(), "Spend today") == "$0.15"


def test_spend_is_compared_with_yesterday_by_now(world: World) -> None:
    """Twice the spend of the same hours of yesterday is an increase by 100%."""
    world.add(
        make_record(ago=_LONG_AGO),
        make_record(ago=timedelta(hours=25)),
        make_record(ago=timedelta(hours=23)),
        make_record(),
        make_record(),
    )

    assert delta(world.page(), "Spend today") == "+100%"


def test_what_did_not_change_has_no_arrow(world: World) -> None:
    """Growth of zero is neither good nor bad: the same durations and errors are not red."""
    world.add(make_record(ago=_LONG_AGO), make_record(ago=timedelta(hours=30)), make_record())

    same = {metric.label: (metric.delta, metric.proto.color) for metric in world.page().metric}
    assert same["Median duration"] == ("0%", Metric.MetricColor.GRAY)
    assert same["Error rate"] == ("0 points", Metric.MetricColor.GRAY)


def test_the_time_zone_is_told(tmp_path: Path) -> None:
    """On every page, for every page shows times."""
    with small_world(tmp_path, time_zone="Europe/Berlin") as world:
        world.add(make_record())

        for name in ("overview", "reliability", "budgets", "quality"):
            assert "Times in Europe/Berlin" in words(world.page(name))
        assert "17 Jun 2026 13:50:00 Europe/Berlin" in html(world.page())


def test_work_that_goes_on_is_pending(world: World) -> None:
    """Its cost is neither unknown nor nothing."""
    world.add(make_record(answer_status="in_progress", usage_source="none", input_tokens=None, endpoint="/responses"))

    assert 'title="The work goes on: what it used comes later."><span class="om-muted">pending<' in html(world.page())


def test_an_error_has_one_colour_on_all_pages(world: World) -> None:
    """The overview and the page Reliability show the same kinds, also when another one takes the lead meanwhile."""
    kinds = ("server", "timeout", "conflict", "parse")
    world.add(*(make_failure(error_class=kind) for number, kind in enumerate(kinds, 1) for _ in range(number)))
    page = world.page()
    legend = re.compile(r'--colour:(#\w+)">(Server error|Timeout|Conflict|Unreadable answer)<')

    first = dict(legend.findall(html(page)))
    assert len(first) == len(kinds)
    world.add(*(make_failure(error_class="server") for _ in kinds))
    assert dict(legend.findall(html(page.switch_page("views/reliability.py").run()))) == first


def test_nothing_is_compared_with_a_time_before_the_records(world: World) -> None:
    """On the first day there is no growth, for there is nothing to have grown from."""
    world.add(make_record(ago=timedelta(hours=20)), make_record())

    assert delta(world.page(), "Requests") == ""


def test_the_forecast_waits_for_a_day_of_records(world: World) -> None:
    """One hour of spend is no month."""
    world.add(make_record())

    assert figure(world.page(), "Forecast for June") == "too early"


def test_the_forecast_goes_on_at_the_same_pace(world: World) -> None:
    """$1.65 in 16.5 of 30 days is $3 a month."""
    world.add(make_record(ago=_LONG_AGO), make_record(input_tokens=11_000_000))

    assert figure(world.page(), "Forecast for June") == "$3.00"


def test_unknown_cost_is_never_zero(world: World) -> None:
    """When no request has a price the spend is unknown, and the page names the model."""
    world.add(make_record(model=UNPRICED_MODEL))

    page = world.page()
    assert figure(page, "Spend today") == "unknown"
    assert f"1** request has no known cost this month and is not part of the spend: {UNPRICED_MODEL}" in words(page)


def test_requests_that_cost_nothing_are_not_unknown(world: World) -> None:
    """A refused request is free, and known to be."""
    world.add(make_failure())

    assert figure(world.page(), "Spend today") == "$0.00"


def test_the_error_rate_counts_failed_requests(world: World) -> None:
    """One of four is 25%."""
    world.add(make_record(), make_record(), make_record(), make_failure())

    assert figure(world.page(), "Error rate") == "25%"


def test_the_latest_requests_are_listed(world: World) -> None:
    """The newest request stands first, with its time, cost, duration and outcome."""
    world.add(make_record(ago=timedelta(hours=1), team="older"), make_record(team="newer"), make_failure())

    tables = html(world.page())
    assert tables.index("newer") < tables.index("older", tables.index("newer"))
    assert "11:50:00" in tables
    assert "429 Rate limit" in tables


def test_names_from_outside_are_not_html(world: World) -> None:
    """A team called like a tag is shown, not run."""
    world.add(make_record(team="<img src=x onerror=alert(1)>"))

    assert "<img" not in html(world.page())


def test_a_filter_in_the_address_holds(world: World) -> None:
    """An address that was shared shows the same requests."""
    world.add(make_record(team="search"), make_record(team="ads"), make_record(team="ads"))

    assert figure(world.page(team="ads"), "Requests") == "2"


def test_requests_without_a_value_can_be_chosen(world: World) -> None:
    """Requests that name no team are a choice of their own."""
    world.add(make_record(team=None), make_record(team="ads"))

    assert figure(world.page(team="(none)"), "Requests") == "1"


def test_a_period_without_requests_says_so(world: World) -> None:
    """Instead of empty charts there is a sentence."""
    world.add(make_record(ago=timedelta(days=2)))

    page = world.page(period="Last hour")
    assert "No requests in this period" in words(page)
    assert len(page.get("plotly_chart")) == 0


@pytest.mark.parametrize("period", ["Last hour", "Today", "Last 24 h", "Last 7 days", "Last 30 days", "This month"])
def test_each_period_shows_the_requests_in_it(world: World, period: str) -> None:
    """A request of ten minutes ago is part of every period."""
    world.add(make_record())

    assert figure(world.page(period=period), "Requests") == "1"


def test_the_ninth_model_is_among_the_others(world: World) -> None:
    """Eight models have a colour; what the rest costs is shown as one."""
    models = (
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4.1-nano",
        "o3",
        "o3-mini",
        "o4-mini",
        "gpt-4-turbo",
    )
    world.add(*(make_record(model=model) for model in models))

    assert "all others" in html(world.page())


def test_pausing_keeps_the_figures(world: World) -> None:
    """With `Live` off the page shows the same, once."""
    world.add(make_record())
    page = world.page()

    page.toggle(key="live").set_value(False).run()

    assert figure(page, "Requests") == "1"
