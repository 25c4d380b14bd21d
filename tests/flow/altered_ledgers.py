"""Alters the ledger of a data directory in one block after the other, and asks for a report each time. Prints JSON.

Each is asked in a process of its own, as people do: what a report answered, or the kind of its fault and its text.

python -m tests.flow.altered_ledgers HOME
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from monitor.api import Question
from monitor.cli.asking import ask
from monitor.errors import MonitorError
from monitor.home import Home
from monitor.settings import Settings
from tests.flow.nursery import leave_after

_HEAD, _BLOCK = 3 * 4_096, 256 * 1_024
"""How DuckDB lays out a file."""
_SIZE = 64


def main(home: Path) -> None:
    ledger = Home(home).ledger
    whole = ledger.read_bytes()
    results = []
    for place in range(_HEAD + 1_000, len(whole), _BLOCK):
        # No pattern: DuckDB's checksum does not see an even number of words that change in the same way.
        altered = Random(place).randbytes(_SIZE)
        ledger.write_bytes(whole[:place] + altered + whole[place + _SIZE :])
        results.append(_asked(home))
    ledger.write_bytes(whole)
    sys.stdout.write(json.dumps(results))


def _asked(home: Path) -> list[object]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        leave_after(lambda: os.write(writing, json.dumps(_answer(home)).encode()))
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        found = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    result: list[object] = json.loads(found) if found else ["died", status]
    return result


def _answer(home: Path) -> list[object]:
    # It ends within an hour, so that both rollup and requests are read.
    question = Question(by="model", start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime.now(UTC))
    try:
        return ["answered", ask(Settings(home=home), question)["total"]["requests"]]
    except MonitorError as error:
        return ["told", str(error)]
    except Exception as error:  # noqa: BLE001 - what must not be: the program would show a traceback
        return ["broken", f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
