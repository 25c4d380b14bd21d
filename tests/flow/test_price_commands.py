"""`monitor price` beside a running server: what is said holds there at once, without a restart."""

from pathlib import Path

import pytest

from monitor.errors import LedgerError
from monitor.records import Record
from tests.cli.commands import answer, spooled
from tests.cli.prices import price
from tests.factories import make_record, make_usage
from tests.flow.running import Server


def _request() -> Record:
    return make_record(usage=make_usage(input_tokens=1_000_000, output_tokens=0))


def test_a_running_server_uses_what_is_said_at_once(tmp_path: Path) -> None:
    """Stored requests keep their cost, those after it have the new price; a file may be longer than an address."""
    file = tmp_path / "own.toml"
    row = '[[prices]]\nprovider = "openai"\nmodel = "model-{}"\nper_million = {{ input = 1 }}\n'
    file.write_text("".join(row.format(number) for number in range(400)))
    home = spooled(tmp_path, _request())
    with Server(home):
        before = answer(home)["total"]["list_cost"]
        said = price(home, "set", "gpt-4*", "--input", "1000", "--output", "1000")
        spooled(tmp_path, _request())
        after = answer(home)["total"]["list_cost"]
        taken = price(home, "import", str(file))
        why = price(home, "why", "model-399")
        with pytest.raises(LedgerError, match="There is no price, name or discount 'price_none'"):
            price(home, "remove", "price_none")

    assert (before, after) == ("2.5", "1002.5")
    assert "1 stored request" in said
    assert "400 rows taken in." in taken
    assert "1.00  1M tokens" in why
