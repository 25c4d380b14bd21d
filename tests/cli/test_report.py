"""`monitor report`: the figures of a period, as a table, JSON or CSV."""

import csv
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from tests.architecture.sources import ROOT
from tests.cli.commands import answer, day, run, spooled
from tests.factories import NOW, make_failure, make_record, make_usage

_NOTHING = {
    "requests": 0,
    "calls": 0,
    "errors": 0,
    "input_tokens": None,
    "output_tokens": None,
    "list_cost": None,
    "unpriced_requests": 0,
    "estimated_requests": 0,
    "estimated_list_cost": None,
}


def test_what_is_estimated_is_told_apart(tmp_path: Path) -> None:
    """The figure is in the sum, and the note says how much of it rests on an estimate."""
    home = spooled(
        tmp_path,
        make_record(usage=make_usage(input_tokens=1_000_000, output_tokens=0)),
        make_record(usage=make_usage(input_tokens=400_000, output_tokens=0), usage_source="estimated"),
    )

    total = answer(home)["total"]
    shown = " ".join(day(home).stdout.split())

    assert (total["list_cost"], total["estimated_list_cost"], total["estimated_requests"]) == ("3.5", "1", 1)
    assert "Of them $1.00 is estimated: 1 request broke off" in shown


def test_json_says_all_figures(tmp_path: Path) -> None:
    """Costs are decimal strings, what is not known is null, the dearest comes first."""
    home = spooled(
        tmp_path,
        make_record(team="search"),
        make_record(team="search", response_model="gpt-99"),
        make_failure(team="ads"),
        make_record(team=None, usage=make_usage(input_tokens=1_000_000, output_tokens=0)),
    )

    assert answer(home, "--by", "team") == {
        "rows": [
            _NOTHING
            | {
                "team": None,
                "requests": 1,
                "calls": 1,
                "input_tokens": 1_000_000,
                "output_tokens": 0,
                "list_cost": "2.5",
            },
            _NOTHING
            | {
                "team": "search",
                "requests": 2,
                "calls": 2,
                "errors": 0,
                "input_tokens": 2_000,
                "output_tokens": 200,
                "list_cost": "0.0035",
                "unpriced_requests": 1,
            },
            _NOTHING | {"team": "ads", "requests": 1, "calls": 1, "errors": 1},
        ],
        "total": _NOTHING
        | {
            "requests": 4,
            "calls": 4,
            "errors": 1,
            "input_tokens": 1_002_000,
            "output_tokens": 200,
            "list_cost": "2.5035",
            "unpriced_requests": 1,
        },
    }


def test_json_of_nothing_is_still_an_answer(tmp_path: Path) -> None:
    """A script need not look out for a text."""
    assert answer(spooled(tmp_path)) == {"rows": [], "total": _NOTHING}


def test_small_costs_have_no_exponent(tmp_path: Path) -> None:
    """Every program reads such a number."""
    home = spooled(
        tmp_path,
        make_record(response_model="text-embedding-3-small", usage=make_usage(input_tokens=8, output_tokens=None)),
    )

    assert answer(home)["total"]["list_cost"] == "0.00000016"


def test_the_table_shows_figures_and_a_total(tmp_path: Path) -> None:
    """For people: with separators, dollars, and a word about what is not in the figures."""
    home = spooled(
        tmp_path,
        make_record(usage=make_usage(input_tokens=1_234_567, output_tokens=0)),
        make_record(response_model="gpt-99"),
        make_failure(request_model=None),
    )
    lines = [line.strip() for line in day(home).stdout.splitlines() if line.strip()]

    assert re.split(r"\s{2,}", lines[0]) == [
        "model",
        "list cost",
        "requests",
        "errors",
        "tokens in",
        "tokens out",
        "unpriced",
    ]
    assert [line.split() for line in lines if line.startswith(("gpt", "–", "total"))] == [
        ["gpt-4o-2024-08-06", "$3.09", "1", "0", "1,234,567", "0", "0"],
        ["gpt-99", "unknown", "1", "0", "1,000", "100", "1"],
        ["–", "unknown", "1", "1", "–", "–", "0"],
        ["total", "$3.09", "3", "1", "1,235,567", "100", "1"],
    ]
    assert "Requests since 2026-11-20 00:00 UTC; list prices in USD." in " ".join(lines)
    assert "The cost of 1 request is not known and not in these figures." in " ".join(lines)


def test_small_amounts_are_not_rounded_away(tmp_path: Path) -> None:
    """From a dollar on, cents; from a cent on, hundredths of it; below, millionths of a dollar."""
    amounts = {2: "$0.000005", 1_000: "$0.002500", 10_000: "$0.0250", 400_000: "$1.00", 10**9: "$2,500.00"}
    home = spooled(
        tmp_path,
        *(
            make_record(usage=make_usage(input_tokens=tokens, output_tokens=0), feature=f"f{tokens}")
            for tokens in amounts
        ),
    )
    rows = [line.split() for line in day(home, "--by", "feature").stdout.splitlines()]

    assert {row[0]: row[1] for row in rows if row and row[0][1:].isdecimal()} == {
        f"f{tokens}": shown for tokens, shown in amounts.items()
    }


def test_brackets_in_a_name_are_shown_as_they_are(tmp_path: Path) -> None:
    """A name is never markup."""
    home = spooled(tmp_path, make_record(feature="[bold]x[/bold]"))

    assert "[bold]x[/bold]" in day(home, "--by", "feature").stdout


def test_csv_has_a_head_and_a_row_for_each_value(tmp_path: Path) -> None:
    """Empty where nothing is known."""
    home = spooled(tmp_path, make_record(team="a, b"), make_failure(team=None))
    rows = list(csv.reader(io.StringIO(day(home, "--by", "team", "--csv").stdout)))

    assert rows == [
        ["team", *_NOTHING],
        ["a, b", "1", "1", "0", "1000", "100", "0.0035", "0", "0", ""],
        ["", "1", "1", "1", "", "", "", "0", "0", ""],
    ]


def test_a_spreadsheet_takes_no_name_for_a_formula(tmp_path: Path) -> None:
    """Names come from requests, so anybody may have chosen them."""
    names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"]
    home = spooled(tmp_path, *(make_record(user=name) for name in names))
    rows = list(csv.reader(io.StringIO(day(home, "--by", "user", "--csv").stdout, newline="")))

    assert {row[0] for row in rows[1:]} == {f"'{name}" for name in names}


def test_conditions_choose(tmp_path: Path) -> None:
    """All of them must hold."""
    home = spooled(tmp_path, *(make_record(team=team) for team in ("search", "ads", None)))
    chosen = {
        ("--where", "team=search,ads"): {"search", "ads"},
        ("--where", "team!=search"): {"ads", None},
        ("--where", "team=search", "--where", "model!=gpt-4o-2024-08-06"): set(),
    }

    assert {words: {row["team"] for row in answer(home, "--by", "team", *words)["rows"]} for words in chosen} == chosen


def test_a_dimension_may_be_written_with_a_dash(tmp_path: Path) -> None:
    """As options are."""
    home = spooled(tmp_path, make_record(call_site="app.py:7"))

    assert answer(home, "--by", "call-site")["rows"][0]["call_site"] == "app.py:7"


def test_the_period_begins_and_ends_where_it_is_told(tmp_path: Path) -> None:
    """Its start is inside, its end is not."""
    home = spooled(tmp_path, *(make_record(started_at=NOW + timedelta(minutes=i)) for i in range(4)))
    result = run(home, "report", "--since", "2026-11-20T12:01", "--until", "2026-11-20T12:03", "--json")

    assert json.loads(result.stdout)["total"]["requests"] == 2


def test_dates_are_read_in_the_configured_zone(tmp_path: Path) -> None:
    """Midnight in New York is five in the morning of UTC."""
    home = spooled(tmp_path, *(make_record(started_at=datetime(2026, 11, 20, hour, 30, tzinfo=UTC)) for hour in (4, 5)))
    words = ("report", "--since", "2026-11-20", "--until", "2026-11-21", "--json")
    result = run(home, *words, MONITOR_TIME_ZONE="America/New_York")

    assert json.loads(result.stdout)["total"]["requests"] == 1


def test_without_an_end_all_until_now_counts(tmp_path: Path) -> None:
    """Also what was made a moment ago, and is still on the spool."""
    home = spooled(tmp_path, make_record(started_at=datetime.now(UTC) - timedelta(seconds=1)))

    assert json.loads(run(home, "report", "--since", "1h", "--json").stdout)["total"]["requests"] == 1


def test_an_empty_ledger_says_what_to_do(tmp_path: Path) -> None:
    """Not an empty table."""
    result = run(spooled(tmp_path), "report")

    assert result.exit_code == 0
    assert "Wrap a client with monitor.wrap(OpenAI()) and make a call" in result.stdout


def test_a_server_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    """The file in which it said where it is was left behind."""
    home = spooled(tmp_path, make_record())
    facts = {"url": "http://127.0.0.1:9", "pid": 1, "token": "t", "started_at": 0}
    (home / "server.json").write_text(json.dumps(facts), encoding="utf-8")

    assert answer(home)["total"]["requests"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", "colour"], "'colour' is not a dimension"),
        (["--since", "soon"], "'soon' is not a time"),
        (["--where", "team"], "is not a matcher"),
        (["--where", "colour=red"], "is not a dimension"),
        (["--json", "--csv"], "cannot both be given"),
        (["--since", "2026-11-20", "--until", "2026-11-20"], "is not after --since"),
    ],
)
def test_a_fault_of_the_user_is_a_sentence(tmp_path: Path, words: list[str], told: str) -> None:
    """It names what was given."""
    result = run(tmp_path, "report", *words)

    assert isinstance(result.exception, MonitorError)
    assert told in str(result.exception)


def test_a_fault_of_the_user_exits_with_2(tmp_path: Path) -> None:
    """On the standard error, without a traceback."""
    command = [sys.executable, "-m", "monitor.cli.entry", "report", "--by", "colour"]
    environ = {"MONITOR_HOME": str(tmp_path), "PATH": ""}
    result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: 'colour' is not a dimension. The dimensions are: model,")
    assert "Traceback" not in result.stderr
