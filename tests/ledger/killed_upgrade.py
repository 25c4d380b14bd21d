"""Upgrades a ledger and dies before its n-th statement; without a death it tells how many there were.

python -m tests.ledger.killed_upgrade PATH N
"""

import os
import sys
from pathlib import Path

import sqlalchemy

from monitor.ledger.migrate import migrate


def main(path: Path, dies_at: int) -> None:
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements == dies_at:
            os._exit(9)

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", count)
    migrate(path)
    sys.stdout.write(f"{statements}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
