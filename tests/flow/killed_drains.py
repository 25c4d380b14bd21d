"""Drains a spool that others write to, and is killed and started again at random moments. Prints as JSON what it did.

python -m tests.flow.killed_drains HOME KILLS SEED
"""

import json
import os
import sys
import threading
from functools import partial
from pathlib import Path
from random import Random

from monitor.house import House
from monitor.settings import Settings
from tests.flow.nursery import kill_one

_PATIENCE = 30.0
_LONGEST_START = 0.3
_LONGEST_LIFE = 0.4
_UP = "up"


def main(home: Path, kills: int, seed: int) -> None:
    random = Random(seed)
    killed_up = 0
    for _ in range(kills):
        # Some die while they open the stores, the others at work.
        is_early = random.random() < 0.25
        killed = kill_one(
            partial(_drain, home),
            waits_for="" if is_early else _UP,
            patience=_PATIENCE,
            delay=random.uniform(0, _LONGEST_START if is_early else _LONGEST_LIFE),
        )
        if killed.status != -9:
            raise SystemExit(f"The drain ended by itself, with status {killed.status}.")
        killed_up += _UP in killed.told
    sys.stdout.write(json.dumps({"killed_at_work": killed_up}))


def _drain(home: Path, told: int) -> None:
    # All that a server does to the ledger, and much more often: drain, compaction, checkpoint, deletion of segments.
    settings = Settings(home=home, drain_interval=0.01, compaction_interval=0.15, spool_keep=0.01)
    with House(settings) as house:
        house.start()
        os.write(told, f"{_UP}\n".encode())
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
