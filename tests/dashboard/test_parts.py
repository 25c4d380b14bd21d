import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.charts import CENTS, COUNTS, DOLLARS, Mark, Series, TimeAxis, bars_over_time, legend
from dashboard.lines import lines_over_time
from dashboard.tables import Bar, Cell, Column, table
from dashboard.theme import PALETTE, colours
from monitor.budgets.parsing import parse_amount, parse_thresholds
from monitor.errors import ControlError

_START = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)


def _series(height: float = 1) -> Series:
    return Series(name="<b>", colour=PALETTE[0], marks=[Mark(start=_START, height=height, text="1")])


def _axis(step: str = "hour") -> TimeAxis:
    return TimeAxis(start=_START, end=_START.replace(hour=14), step=step, time_zone="Europe/Berlin")


def test_asking_before_anything_is_installed_says_what_to_do() -> None:
    """A process in which no server installed a source says how to start one."""
    program = "from dashboard import source\ntry: source.current()\nexcept Exception as error: print(error)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "Start it with: monitor up" in run.stdout


def test_a_colour_stays_with_its_value() -> None:
    """When another model takes the lead, nothing changes colour."""
    known: dict[str | None, str] = {}
    first = colours(["a", "b"], known)

    assert colours(["c", "b", "a"], known) == first | {"c": PALETTE[2]}


def test_a_colour_is_free_again_when_its_value_is_gone() -> None:
    """Eight colours are enough for ever changing eight values."""
    known: dict[str | None, str] = {}
    colours([str(number) for number in range(8)], known)

    assert set(colours([str(number) for number in range(4, 12)], known).values()) == set(PALETTE)


def test_cells_are_escaped() -> None:
    """Text stays text, in the cell and in its title."""
    shown = table([Column(label="<i>")], [[Cell(text="<b>", title='"><script>')]])

    assert "<b>" not in shown
    assert "<script>" not in shown
    assert "<i>" not in shown


def test_a_bar_is_as_long_as_its_share() -> None:
    """A quarter is 25%."""
    assert "width:25.0%" in table([Column(label="Share")], [[Bar(0.25, "25%")]])


def test_a_place_in_the_code_keeps_its_line() -> None:
    """Its front is what is cut, and the whole is shown on pointing at it."""
    html = table([Column(label="Call site", fit="cut front")], [["<shop>/a.py:3"]])

    assert '<td class="cut front" title="&lt;shop&gt;/a.py:3"><bdi>&lt;shop&gt;/a.py:3</bdi></td>' in html


def test_names_in_charts_are_escaped() -> None:
    """Plotly reads some tags, the legend all of them."""
    assert "<b>" not in legend([_series()])
    assert bars_over_time([_series()], _axis(), tick_format=COUNTS).data[0].name == "&lt;b&gt;"


def test_bars_stand_at_local_time() -> None:
    """Noon in UTC is two in the afternoon in Berlin in summer."""
    figure = bars_over_time([_series()], _axis(), tick_format=COUNTS)

    assert figure.data[0].x[0].hour == 14


def test_few_requests_are_counted_in_whole_numbers() -> None:
    """There is no tick at half a request."""
    assert bars_over_time([_series(3)], _axis(), tick_format=COUNTS).layout.yaxis.dtick == 1
    assert bars_over_time([_series(300)], _axis(), tick_format=COUNTS).layout.yaxis.dtick is None


@pytest.mark.parametrize(("dollars", "format_"), [(250.0, DOLLARS), (2.5, CENTS), (0.05, CENTS), (0.002, DOLLARS)])
def test_parts_of_a_dollar_have_two_digits(dollars: float, format_: str) -> None:
    """`$0.50` is money, `$0.5` is not; what is less than a cent keeps all its digits."""
    assert bars_over_time([_series(dollars)], _axis(), tick_format=DOLLARS).layout.yaxis.tickformat == format_


@pytest.mark.parametrize(
    ("step", "format_"), [("minute", "%H:%M\n%-d %b"), ("hour", "%H:%M\n%-d %b"), ("day", "%-d %b")]
)
def test_days_are_written_as_in_the_tables(step: str, format_: str) -> None:
    """`20 Nov`, in bars and in lines."""
    bars = bars_over_time([_series()], _axis(step), tick_format=COUNTS)
    lines = lines_over_time([_series()], _axis(step), suffix=" s", height=100)

    assert (bars.layout.xaxis.tickformat, lines.layout.xaxis.tickformat) == (format_, format_)


@pytest.mark.parametrize("step", ["minute", "hour", "day"])
def test_bars_and_lines_stand_in_their_step(step: str) -> None:
    """The first bar lies within the axis, and the first point in its middle."""
    bars = bars_over_time([_series()], _axis(step), tick_format=COUNTS)
    lines = lines_over_time([_series()], _axis(step), suffix=" s", height=100)
    left = bars.data[0].x[0] + timedelta(milliseconds=bars.data[0].offset)
    middle = left + timedelta(milliseconds=bars.data[0].width / 2)

    assert bars.layout.xaxis.range[0] <= left
    assert lines.data[0].x[0] == middle


@pytest.mark.parametrize("text", ["", "abc", "1..2"])
def test_an_amount_is_a_number(text: str) -> None:
    """Anything else is refused with the text repeated."""
    with pytest.raises(ControlError, match="is not an amount"):
        parse_amount(text)


def test_thresholds_are_sorted_and_stand_once() -> None:
    """`80%` and `0.8` are the same."""
    assert [str(threshold) for threshold in parse_thresholds("100%, 80%, 0.8")] == ["0.8", "1"]
