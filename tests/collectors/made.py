"""Made-up traces of the real kinds, and the command that imports them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner, Result

from bench.windows import TRACES
from monitor.cli.entry import app
from monitor.health import Health
from monitor.home import Home
from monitor.ledger.drain import Drain
from monitor.ledger.ledger import Ledger
from tests.world import price_book

REAL_MOONCAKE: Final = TRACES / "mooncake_conversation.parquet"
REAL_BURSTGPT: Final = TRACES / "burstgpt_1_first400.csv"
COLUMNS: Final = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"
ROWS: Final = (
    "5,ChatGPT,472,18,490,Conversation log",
    "45,ChatGPT,1087,230,1317,API log",
    "118,GPT-4,417,276,693,Conversation log",
    "185,ChatGPT,0,0,0,Conversation log",
)


def burstgpt(directory: Path, *rows: str, columns: str = COLUMNS, name: str = "burst.csv") -> Path:
    """A file of these rows; those of `ROWS` where none are given."""
    path = directory / name
    path.write_text("\n".join((columns, *(rows or ROWS))) + "\n", encoding="utf-8")
    return path


def many(directory: Path, count: int) -> Path:
    """A file of so many rows."""
    return burstgpt(
        directory, *(f"{row},GPT-4,{row},{row % 97 + 1},{row + row % 97 + 1},API log" for row in range(count))
    )


def parquet(directory: Path, columns: dict[str, list[Any]]) -> Path:
    """A Parquet file."""
    path = directory / "mooncake.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def json_lines(directory: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A file with a JSON object a line."""
    path = directory / "mooncake.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(home: Path, file: Path, *words: str) -> Result:
    """The outcome of `monitor import trace`; a fault of the user's is its `exception`."""
    environ = {"MONITOR_HOME": str(home), "COLUMNS": "200", "MONITOR_TIME_ZONE": "UTC"}
    return CliRunner().invoke(app, ["import", "trace", str(file), *words], env=environ)


def imported(home: Path, file: Path, *words: str) -> str:
    """What the command said; its second 0 is the start of November."""
    done = run(home, file, "--start", "2026-11-01", *words)
    assert done.exception is None, done.exception
    return done.output


def refused(home: Path, file: Path, *words: str) -> str:
    """Why it imported nothing."""
    done = run(home, file, "--start", "2026-11-01", *words)
    assert done.exception is not None
    assert segments(home) == []
    return str(done.exception)


def stored(directory: Path, what: str, rest: str = "") -> list[tuple[Any, ...]]:
    """A question to the ledger about its requests, after all that is on the spool was drained."""
    home = Home(directory)
    home.create()
    with Ledger.open(home.ledger) as ledger:
        Drain(ledger, home.spool, price_book(), Health()).run()
        with ledger.cursor() as cursor:
            return cursor.execute(f"select {what} from requests {rest} order by all").fetchall()


def segments(home: Path) -> Sequence[Path]:
    """The files on the spool."""
    return sorted((home / "spool").glob("*.ndjson"))
