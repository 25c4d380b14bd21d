"""`monitor whatif`: the same requests under something other, as a table, JSON or CSV."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import LedgerError, MonitorError, PricingError, SettingsError
from tests.cli.commands import run, spooled
from tests.cli.prices import cells, price
from tests.factories import make_record, make_usage

_MILLION = make_usage(input_tokens=1_000_000, output_tokens=0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spooled(
        tmp_path_factory.mktemp("whatif"),
        make_record(usage=_MILLION, team="search"),
        make_record(usage=_MILLION, team="ads"),
        make_record(usage=_MILLION, team="ads", response_model="gpt-99"),
    )


def _ask(home: Path, *words: str, **environ: str) -> str:
    ended = run(home, "whatif", "--since", "2026-11-20", "--until", "2026-11-21", *words, **environ)
    if ended.exception is not None:
        raise ended.exception
    return ended.stdout


def _told(home: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_ask(home, *words, "--json"))
    return found


def test_a_table_says_now_then_and_what_could_not_be_compared(home: Path) -> None:
    """With the reason, and what is assumed; it fits a narrow screen."""
    said = _ask(home, "--model", "gpt-4o=gpt-4o-mini", "--by", "team", COLUMNS="80")

    assert cells(said, "search") == ["search", "1", "$2.50", "$0.1500", "-$2.35", "-94.0%"]
    assert cells(said, "total") == ["total", "2", "$5.00", "$0.3000", "-$4.70", "-94.0%"]
    assert "1 request could not be compared" in said
    assert "1 request of openai/gpt-99: unpriced, for genai-prices" in said
    assert "gpt-4o as gpt-4o-mini" in " ".join(said.split())


@pytest.mark.parametrize(
    ("words", "then"),
    [
        (("--cache-rate", "0.6", "--discount", "15%"), "2.975"),
        (("--model", "gpt-4o=gpt-4o-mini", "--model", "gpt-4*=o3"), "0.3"),
        (("--where", "team=ads", "--tier", "batch"), "1.25"),
    ],
)
def test_json_says_the_figures(home: Path, words: tuple[str, ...], then: str) -> None:
    """As decimal strings without zeros at the end."""
    assert _told(home, *words)["total"]["list_cost_then"] == then


def test_csv_has_a_row_for_each_value(home: Path) -> None:
    """Unknown is empty."""
    rows = list(csv.DictReader(io.StringIO(_ask(home, "--tier", "batch", "--csv"))))

    assert [(row["model"], row["list_cost"], row["list_cost_then"], row["share"]) for row in rows] == [
        ("gpt-4o-2024-08-06", "5", "2.5", "-0.5"),
        ("gpt-99", "", "", ""),
    ]


def test_own_prices_can_come_from_a_file(home: Path, tmp_path: Path) -> None:
    """As they were exported; nothing of it is taken in."""
    said = price(home, "set", "gpt-4o*", "--input", "1", "--output", "1")
    file = tmp_path / "prices.toml"
    price(home, "export", str(file))
    price(home, "remove", said.partition(":")[0])

    assert _told(home, "--prices", str(file))["total"]["list_cost_then"] == "2"
    assert _told(home)["total"]["list_cost_then"] == "5"


def test_a_model_without_requests_is_told(home: Path) -> None:
    """It may be a slip of the pen."""
    assert "No request went to gtp-4o." in _ask(home, "--model", "gtp-4o=o3")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--model", "gpt-4o"), SettingsError),
        (("--tier", "cheap"), PricingError),
        (("--cache-rate", "much"), SettingsError),
        (("--cache-rate", "101%"), PricingError),
        (("--discount", "lots"), PricingError),
        (("--prices", "/no/such/file"), PricingError),
        (("--by", "colour"), LedgerError),
        (("--json", "--csv"), SettingsError),
    ],
)
def test_what_cannot_be_is_refused(home: Path, words: tuple[str, ...], error: type[MonitorError]) -> None:
    """With a sentence."""
    with pytest.raises(error):
        _ask(home, *words)
