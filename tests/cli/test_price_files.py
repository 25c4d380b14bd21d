"""`monitor price export`, `import` and `diff` through the real commands."""

import csv
import io
import json
from pathlib import Path

import pytest

from monitor.errors import PricingError
from tests.cli.prices import cells, home_of, price
from tests.factories import make_record

_TABLE = {
    "gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05},
    "gpt-99": {"litellm_provider": "openai", "input_cost_per_token": 1.1e-06, "output_cost_per_token_batches": 3e-06},
    "gpt-98": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0},
    "ft:gpt-97": {"litellm_provider": "openai", "input_cost_per_token": 4e-06},
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.json"
    path.write_text(json.dumps(_TABLE))
    return path


def _say_something(home: Path) -> None:
    price(home, "set", "gpt-99", "--input", "2.50", "--output", "10", "--from", "2026-11-01", "--note", 'so "they" say')
    price(home, "set", "fast", "--provider", "my-proxy", "--like", "openai/gpt-4o")
    price(home, "discount", "15%", "--model", "gpt-4o*")


def test_a_file_brings_all_of_it_to_another_place_and_twice_changes_nothing(tmp_path: Path) -> None:
    """Also where it came from."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = home_of(tmp_path / "here"), home_of(tmp_path / "there")
    _say_something(here)
    file = tmp_path / "own.toml"
    price(here, "export", str(file))
    said = [price(home, "import", str(file)).strip() for home in (there, there, here)]

    stood = "0 rows taken in, 3 rows stood here already."
    assert said == ["3 rows taken in.", stood, stood]
    assert cells(price(there, "why", "gpt-99"), "input")[1] == "2.50"


def test_a_changed_row_of_a_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """It is known by its id."""
    home = home_of(tmp_path)
    _say_something(home)
    file = tmp_path / "own.toml"
    price(home, "export", str(file))
    file.write_text(file.read_text().replace("input = 2.5", "input = 3.5"))

    assert price(home, "import", str(file)).strip() == "1 row taken in, 1 row replaced, 2 rows stood here already."
    assert cells(price(home, "why", "gpt-99"), "input")[1] == "3.50"


def test_a_file_with_a_fault_changes_nothing(tmp_path: Path) -> None:
    """Every fault is told, and the good rows are not taken in either."""
    home = home_of(tmp_path)
    file = tmp_path / "own.toml"
    good = '[[prices]]\nprovider = "openai"\nmodel = "a"\neach = { request = 1 }\n'
    file.write_text(good + good.replace("request", "requests") + good.replace("= 1", "= -1"))
    with pytest.raises(PricingError) as caught:
        price(home, "import", str(file))

    assert [line.partition(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "prices, row 2 (a)",
        "prices, row 3 (a)",
    ]
    assert "Nothing was said here" in price(home, "list", "--own")


def test_a_table_of_litellm_gives_prices_only_where_none_is(tmp_path: Path, table: Path) -> None:
    """First shown, then asked; digits are those of the text. What is free in all of it is left out."""
    home = home_of(tmp_path)
    refused = price(home, "import", "--litellm", str(table), status=1)
    before = price(home, "list", "--own")
    done = price(home, "import", "--litellm", str(table), "--yes")
    own = price(home, "list", "--own")

    assert cells(refused, "gpt-99")[:5] == ["gpt-99", "openai", "1.10", "–", "–"]
    assert "Nothing was said here" in before
    assert "3 rows taken in." in done
    assert ("gpt-98" in own, "own prices of gpt-4o " in own) == (False, False)
    assert "1.10 for 1M tokens" in own
    assert cells(price(home, "why", "ft:gpt-97:acme::1"), "input")[1] == "4.00"
    assert "Nothing to take in" in price(home, "import", "--litellm", str(table), "--yes")


def test_a_table_that_is_not_named_as_one_is_refused(tmp_path: Path, table: Path) -> None:
    """With the word that lacks; and options that would do nothing are refused too."""
    home = home_of(tmp_path)
    for words, fault in (([], "add --litellm"), (["--replace"], "go with --litellm only")):
        with pytest.raises(PricingError, match=fault):
            price(home, "import", str(table), *words)


def test_a_table_of_litellm_replaces_only_what_differs(tmp_path: Path, table: Path) -> None:
    """Of a model that lists know, the input that is another, not the output that is the same."""
    home = home_of(tmp_path)
    price(home, "import", "--litellm", str(table), "--replace", "--model", "gpt-4o", "--yes")
    why = price(home, "why", "gpt-4o")

    assert cells(why, "input")[1:6] == ["2.00", "1M", "tokens", "own", "prices,"]
    assert cells(why, "output")[1:5] == ["10.00", "1M", "tokens", "genai-prices"]


def test_only_differences_are_told(tmp_path: Path, table: Path) -> None:
    """Of the models seen here, or of all; in words and as JSON."""
    home = home_of(tmp_path, make_record(request_model="gpt-4o", response_model="gpt-4o"))
    said = price(home, "diff", str(table))
    found = json.loads(price(home, "diff", str(table), "--all", "--json"))

    assert [line.split()[3:] for line in said.splitlines() if line.startswith(" gpt-4o")] == [
        ["cache_read", "1.25", "–"],
        ["input", "2.50", "2.00"],
    ]
    assert {"gpt-99", "gpt-4o", "ft:gpt-97"} == {one["model"] for one in found}
    assert {"ours_usd": "0.0000025", "theirs_usd": "0.000002"}.items() <= next(
        one for one in found if (one["model"], one["unit"]) == ("gpt-4o", "input")
    ).items()


def test_an_own_file_is_compared_with_what_holds(tmp_path: Path) -> None:
    """After the import nothing differs."""
    home = home_of(tmp_path)
    file = tmp_path / "own.toml"
    file.write_text('[[prices]]\nprovider = "openai"\nmodel = "gpt-99"\nper_million = { input = 7 }\n')
    before = price(home, "diff", str(file))
    price(home, "import", str(file))

    assert cells(before, "gpt-99") == ["gpt-99", "openai", "default", "input", "–", "7.00"]
    assert price(home, "diff", str(file)) == "No price differs.\n"


def test_all_prices_of_what_was_seen_are_written(tmp_path: Path) -> None:
    """As JSON and as CSV, with the list and the entry that say so."""
    home = home_of(tmp_path, make_record(request_model="gpt-4o", response_model="gpt-4o"))
    rows = json.loads(price(home, "export", "--all"))
    price(home, "export", "--all", str(tmp_path / "all.csv"))
    table = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text())))

    assert len(rows) == len(table) > 0
    (first,) = (row for row in rows if (row["tier"], row["unit"]) == ("default", "input"))
    assert (first["usd"], first["model"], first["valid_to"]) == ("0.0000025", "gpt-4o", None)
