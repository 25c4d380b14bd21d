"""`monitor price reprice`: shows what would change, asks, and does it once."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli.price import app
from monitor.errors import ControlError, SettingsError
from tests.cli.commands import answer, day
from tests.cli.prices import cells, home_of, price
from tests.factories import make_record, make_usage
from tests.flow.running import Server

_DAY = ("--since", "2026-11-20", "--until", "2026-11-21")
_MILLION = make_usage(input_tokens=1_000_000, output_tokens=0)


def _home(directory: Path) -> Path:
    """A data directory with a request of a model whose price was told late, and one of gpt-4o."""
    home = home_of(
        directory,
        make_record(usage=_MILLION, response_model="gpt-99", team="search"),
        make_record(usage=_MILLION, team="ads"),
    )
    answer(home)
    price(home, "set", "gpt-99", "--input", "3")
    return home


def test_it_is_shown_and_asked_before_it_is_done(tmp_path: Path) -> None:
    """Without a yes nothing changes."""
    home = _home(tmp_path)
    environ = {"MONITOR_HOME": str(home), "COLUMNS": "80"}
    asked = CliRunner().invoke(app, ["reprice", *_DAY], env=environ, input="n\n")

    assert asked.exit_code == 0
    assert "1 of 2 requests cost something else" in asked.stdout
    assert cells(asked.stdout, "gpt-99") == ["gpt-99", "1", "unknown", "$3.00", "+$3.00"]
    assert ["2026-11-20", "1", "$2.50", "$5.50", "+$3.00"] in map(str.split, asked.stdout.splitlines())
    assert "Nothing was changed." in asked.stdout
    assert answer(home)["total"]["list_cost"] == "2.5"


def test_it_is_done_once(tmp_path: Path) -> None:
    """The report follows; a second time nothing is left to do."""
    home = _home(tmp_path)
    done = price(home, "reprice", *_DAY, "--yes", "--note", "told late")
    again = price(home, "reprice", *_DAY)

    assert "Done: 1 request" in done
    assert answer(home)["total"]["list_cost"] == "5.5"
    assert "Nothing changes" in again


def test_a_discount_that_was_told_late_is_shown_as_what_is_paid(tmp_path: Path) -> None:
    """Beside the list cost, in the preview and in the report."""
    home = _home(tmp_path)
    price(home, "discount", "20%", "--model", "gpt-4o*")
    done = price(home, "reprice", *_DAY, "--where", "team=ads", "--yes")
    report = day(home).stdout

    assert cells(done, "ads") == ["ads", "1", "$2.50", "$2.50", "$2.50", "$2.00"]
    assert [row.get("contracted_cost") for row in answer(home)["rows"]] == ["2", None]
    assert "paid" in report.splitlines()[1]
    assert "$2.00" in report


def test_without_a_discount_a_report_has_no_such_column(tmp_path: Path) -> None:
    """Nor has JSON."""
    home = _home(tmp_path)

    assert "contracted_cost" not in answer(home)["total"]
    assert "paid" not in day(home).stdout


def test_json_tells_all_and_changes_nothing(tmp_path: Path) -> None:
    """Costs are decimal strings, unknown is null."""
    home = _home(tmp_path)
    found = json.loads(price(home, "reprice", *_DAY, "--json"))
    (model,) = found["by"]["model"]

    assert (model["value"], model["list_cost_before"], model["list_cost"][:4]) == ("gpt-99", None, "3.00")
    assert (found["total"]["newly_priced"], found["kept_from"]) == (1, None)
    assert answer(home)["total"]["list_cost"] == "2.5"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--since", "never"), SettingsError),
        (("--since", "1h", "--until", "2h"), SettingsError),
        (("--where", "colour=red"), ControlError),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, words: tuple[str, ...], error: type[Exception]) -> None:
    """Before anything is asked of the ledger."""
    with pytest.raises(error):
        price(home_of(tmp_path), "reprice", *words)


@pytest.mark.torture
def test_a_running_server_does_it(tmp_path: Path) -> None:
    """Which has the ledger; the command says the same."""
    home = _home(tmp_path)
    with Server(home):
        done = price(home, "reprice", *_DAY, "--yes")
        found = answer(home)["total"]["list_cost"]

    assert "Done: 1 request" in done
    assert found == "5.5"
