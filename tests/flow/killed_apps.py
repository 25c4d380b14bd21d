"""Starts programs that call, and kills each at a random moment. Prints as JSON what they had told.

python -m tests.flow.killed_apps HOME KILLS SEED
"""

import json
import os
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from random import Random

from tests.flow.calling import WAYS, Caller
from tests.flow.nursery import kill_one

_LONGEST = 0.06
_PATIENCE = 30.0


def main(home: Path, kills: int, seed: int) -> None:
    random = Random(seed)
    told: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            _call_once(Path(folder), way)
    ways = list(WAYS)
    for number in range(kills):
        # Some die around their start: directory, secret, first segment.
        (waits_for,) = random.choices(("returned", "begun", ""), weights=(6, 2, 1))
        killed = kill_one(
            partial(_call, home, ways[number % len(ways)]),
            waits_for=waits_for,
            patience=_PATIENCE,
            delay=random.uniform(0, _LONGEST),
        )
        if killed.status != -9:
            raise SystemExit(f"A program ended by itself, with status {killed.status}.")
        told += killed.told
    sys.stdout.write(json.dumps(told))


def _call_once(home: Path, way: str) -> None:
    """Let the libraries load all that they load at the first call; the children are then forked with it."""
    reading, writing = os.pipe()
    caller = Caller(home, writing)
    work = threading.Thread(target=WAYS[way], args=(caller,))
    work.start()
    with os.fdopen(reading, "rb", buffering=0) as lines:
        while b"returned" not in lines.readline():
            pass
        caller.stopping.set()
        work.join()
        os.close(writing)


def _call(home: Path, way: str, told: int) -> None:
    WAYS[way](Caller(home, told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
