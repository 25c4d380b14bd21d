import subprocess
import sys
from datetime import UTC, datetime

import pytest

from dashboard.charts import COUNTS, Mark, Series, TimeAxis, bars_over_time, legend
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


@pytest.mark.parametrize("text", ["", "abc", "1..2"])
def test_an_amount_is_a_number(text: str) -> None:
    """Anything else is refused with the text repeated."""
    with pytest.raises(ControlError, match="is not an amount"):
        parse_amount(text)


def test_thresholds_are_sorted_and_stand_once() -> None:
    """`80%` and `0.8` are the same."""
    assert [str(threshold) for threshold in parse_thresholds("100%, 80%, 0.8")] == ["0.8", "1"]
