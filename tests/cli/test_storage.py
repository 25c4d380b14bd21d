"""`monitor storage`: what vector stores hold and cost, as a table, JSON or CSV; beside the spend."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import SettingsError
from tests.cli.commands import day, run, spooled
from tests.cli.prices import cells, price
from tests.factories import NOW, make_record, make_usage

_GIB = 2**30
_SPAN = ("--since", "2026-11-18", "--until", "2026-11-20")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _home(tmp_path_factory.mktemp("storage"))


def _home(directory: Path) -> Path:
    told = {"vs_1": 3 * _GIB, "vs_2": _GIB // 2}
    return spooled(
        directory,
        make_record(started_at=NOW - timedelta(days=9), stored_bytes=told, billing_account_id="org-1"),
        make_record(usage=make_usage(input_tokens=1_000_000, output_tokens=0)),
    )


def _ask(home: Path, *words: str) -> str:
    ended = run(home, "storage", *_SPAN, *words, COLUMNS="80")
    if ended.exception is not None:
        raise ended.exception
    return ended.stdout


def test_a_table_says_days_stores_and_what_it_rests_on(home: Path) -> None:
    """And that the spend is another thing."""
    said = _ask(home)

    assert cells(said, "2026-11-18") == ["2026-11-18", "3.500", "2.500", "$0.2500"]
    assert cells(said, "total") == ["total", "7.000", "5.000", "$0.5000"]
    assert cells(said, "vs_1") == ["vs_1", "org-1", "3.000", "2026-11-11", "12:00"]
    text = " ".join(said.split())
    assert "As far as answers told sizes" in text
    assert "It is beside the spend of requests, not in it." in text


def test_the_report_of_spend_knows_nothing_of_it(home: Path) -> None:
    """A million tokens are what they cost."""
    assert "$2.50" in day(home).stdout


def test_an_own_price_holds_at_once(tmp_path: Path) -> None:
    """The command that the documentation names."""
    home = _home(tmp_path)
    price(home, "set", "vector_store", "--per", "storage:vector_store=0.08")

    assert cells(_ask(home), "total")[-1] == "$0.4000"
    assert "free" in price(home, "show", "vector_store")


def test_json_and_csv_say_the_figures(home: Path) -> None:
    """As decimal strings without zeros at the end."""
    told = json.loads(_ask(home, "--json"))
    rows = list(csv.DictReader(io.StringIO(_ask(home, "--csv"))))

    assert told["total"] == {
        "gib_days": "7",
        "charged_gib_days": "5",
        "list_cost": "0.5",
        "unpriced_gib_days": "0",
    }
    assert [(row["day"], row["list_cost"]) for row in rows] == [("2026-11-18", "0.25"), ("2026-11-19", "0.25")]
    assert [(one["store_id"], one["gib"]) for one in told["stores"]] == [("vs_1", "3"), ("vs_2", "0.5")]
    assert told["stores"][0]["last_seen_at"] == "2026-11-11T12:00:00+00:00"


def test_without_stores_it_says_so(tmp_path: Path) -> None:
    """And what would tell them."""
    assert "No answer told the size of a vector store" in _ask(spooled(tmp_path, make_record()))


def test_both_forms_at_once_are_refused(home: Path) -> None:
    """With a sentence."""
    with pytest.raises(SettingsError):
        _ask(home, "--json", "--csv")
