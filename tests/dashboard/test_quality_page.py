from dataclasses import replace
from datetime import timedelta
from typing import Any

from dashboard.source import Lag, current, install
from monitor.health import Health
from monitor.ledger.backlog import Backlog, Headless
from monitor.records import Begin
from monitor.spool.writer import SpoolWriter
from tests.dashboard.world import NOW, UNPRICED_MODEL, World, delta, figure, html, make_record, words


def test_the_page_renders_without_requests(world: World) -> None:
    """An empty ledger is no fault."""
    page = world.page("quality")

    assert len(page.exception) == 0
    assert "Nothing was lost and nothing is damaged." in words(page)


def test_requests_of_unknown_cost_are_listed_with_the_reason(world: World) -> None:
    """The model, how many requests, and why."""
    world.add(make_record(), make_record(model=UNPRICED_MODEL), make_record(model=UNPRICED_MODEL))

    page = world.page("quality")
    assert figure(page, "Cost unknown") == "2"
    assert UNPRICED_MODEL in html(page)
    assert "does not know this model" in html(page)


def test_what_to_type_stands_beside_the_model(world: World) -> None:
    """Where something can propose it; not for what no price would help, and not for a name nobody should copy."""
    strange = make_record(model="a\x1b[2Jb")
    impossible = make_record(cache_read_input_tokens=2_000_000)
    world.add(make_record(model=UNPRICED_MODEL), strange, impossible)
    assert "--input" not in html(world.page("quality"))

    install(replace(current(), propose=lambda provider, model: f"monitor price set {model} --input USD # {provider}"))
    page = html(world.page("quality"))
    assert page.count(">--input<") == 1
    assert f">{UNPRICED_MODEL}<" in page


def test_a_flood_of_names_does_not_fill_the_page(world: World) -> None:
    """The first of them, and how many more there are."""
    world.add(*(make_record(model=f"acme-{number}") for number in range(60)))
    page = world.page("quality")

    assert html(page).count("acme-") == 2 * 20
    assert "And 40 requests of 40 more models." in words(page)


def test_estimated_spend_is_summed_apart(world: World) -> None:
    """With its part of the whole."""
    world.add(make_record(), make_record(usage_source="estimated"), make_record(usage_source="estimated"))
    page = world.page("quality")

    assert figure(page, "Cost estimated") == "2"
    assert delta(page, "Cost estimated").replace("\\", "") == "$0.30, 67% of the spend"


def test_requests_told_of_twice_are_counted(world: World) -> None:
    """By who told of them."""
    record = make_record(response_id="chatcmpl-0123456789abcdef")
    again = make_record(response_id="chatcmpl-0123456789abcdef", source="gateway")
    world.add(record)
    world.add(again)

    assert "1 by a gateway; each of them counts once" in html(world.page("quality"))


def test_faults_are_told(world: World) -> None:
    """Of jobs, such as a download of prices, and of files that the disk does not give back."""
    backlog = Backlog(bytes=9, lines=None, is_estimate=False, seconds=None, faults=("The segment x cannot be read.",))
    faults = ["The job prices failed: Newer prices could not be downloaded."]
    install(replace(current(), spool_lag=lambda: Lag(backlog=backlog, idle=0.1), job_faults=lambda: faults))
    page = html(world.page("quality"))

    assert "The segment x cannot be read." in page
    assert faults[0] in page


def test_files_that_are_no_segments_are_told(world: World) -> None:
    """They do not wait to be read."""
    backlog = Backlog(bytes=0, lines=0, is_estimate=False, seconds=None, headless=Headless(files=3, bytes=2_000_000))
    install(replace(current(), spool_lag=lambda: Lag(backlog=backlog, idle=0.1)))
    page = html(world.page("quality"))

    assert "Without a readable header" in page
    assert "3 files of 2.0 MB; monitor doctor tells more" in page


def test_a_period_without_requests_is_not_called_priced(world: World) -> None:
    """Where nothing was asked nothing is known."""
    assert "No requests in this period. Choose a longer one." in words(world.page("quality"))
    world.add(make_record())
    assert "The cost of every request in this period is known." in words(world.page("quality"))


def test_work_that_goes_on_is_not_called_priced(world: World) -> None:
    """Its cost is to come; the page says how many there are and since when."""
    begun: dict[str, Any] = {"endpoint": "/responses", "answer_status": "in_progress", "usage_source": "none"}
    world.add(*(make_record(ago=timedelta(minutes=ago), input_tokens=None, **begun) for ago in (20, 40)))

    page = world.page("quality")
    assert "2 requests began work that goes on, the oldest at 11:20:00" in words(page)
    assert "is known." not in words(page)
    assert figure(page, "Cost unknown") == "0"


def test_a_known_model_without_a_fitting_price_is_told_as_such(world: World) -> None:
    """The list knows the model, but no price for the tier."""
    world.add(make_record(service_tier="ultrafast"))

    assert "No price for what was used: matched openai/gpt-4o-mini" in html(world.page("quality"))


def test_damaged_lines_are_shown(world: World) -> None:
    """A line of the spool that was changed stands there with its file."""
    writer = SpoolWriter(world.home.spool, segment_size=2**25, health=Health())
    writer.end(make_record())
    writer.close()
    segment = next(world.home.spool.iterdir())
    segment.write_bytes(segment.read_bytes().replace(b'"search"', b'"SEARCH"'))
    world.drain.run()

    page = world.page("quality")
    assert "1 line could not be read" in words(page)
    assert segment.name in html(page)
    assert "Checksum is wrong" in html(page)


def test_requests_under_way_are_counted(world: World) -> None:
    """A request that began, in a program that still runs, is under way."""
    writer = SpoolWriter(world.home.spool, segment_size=2**25, health=Health())
    writer.begin(
        Begin(
            record_id="0" * 31 + "1",
            call_id="0" * 31 + "1",
            attempt=0,
            started_at=NOW,
            provider_name="openai",
            operation_name="chat",
            endpoint="/chat/completions",
        )
    )
    world.drain.run()

    page = world.page("quality")
    assert (figure(page, "Under way now"), delta(page, "Under way now")) == ("1", "oldest for 0.0 ms")
    writer.close()


def test_the_price_list_is_named(world: World) -> None:
    """People see which prices the figures stand on."""
    world.add(make_record())

    assert "genai-prices" in html(world.page("quality"))


def test_the_spool_lag_is_shown(world: World) -> None:
    """And how fresh the figures are."""
    page = html(world.page("quality"))

    assert "200 ms ago" in page
    assert "3 lines, the oldest from 1.5 s ago" in page
