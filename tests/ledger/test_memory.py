"""How much memory DuckDB may take, and what is said where that does not suffice."""

from pathlib import Path

import pytest

from monitor.errors import LedgerError
from monitor.home import Home
from monitor.ledger.ledger import Ledger
from tests.world import put_new_ledger

_MEMORY = 512 * 2**20
_TOO_MUCH = "select list(range) from range(100_000_000)"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    home = Home(tmp_path)
    put_new_ledger(home)
    return Ledger.open(home.ledger, memory=_MEMORY)


def test_duckdb_takes_no_more_than_it_is_given(ledger: Ledger) -> None:
    """Else it keeps what it has read once, up to four fifths of the machine."""
    with ledger, ledger.cursor() as cursor:
        assert cursor.execute("select current_setting('memory_limit')").fetchone() == ("512.0 MiB",)


def test_a_question_that_needs_more_says_what_to_do(ledger: Ledger) -> None:
    """And the next one is answered."""
    with ledger:
        with pytest.raises(LedgerError, match="MONITOR_LEDGER_MEMORY"), ledger.cursor() as cursor:
            cursor.execute(_TOO_MUCH)

        with ledger.cursor() as cursor:
            assert cursor.execute("select count(*) from requests").fetchone() == (0,)
