"""All that a data directory's spool holds, drained and read back as it is."""

from collections import defaultdict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

from monitor.house import House
from monitor.settings import Settings

K = TypeVar("K", bound=Hashable)
Row = dict[str, Any]


def drained_rows(home: Path, key: Callable[[Row], K]) -> dict[K, list[Row]]:
    """Drain it all, and give the requests by a key; nothing was unreadable, dropped or left."""
    with House(Settings(home=home)) as house:
        house.drain.run()
        assert house.drain.waiting() == 0
        with house.ledger.cursor() as cursor:
            assert cursor.execute("select count(*) from quarantine").fetchall() == [(0,)]
            assert cursor.execute("select count(*) from dropped").fetchall() == [(0,)]
            cursor.execute("select * from requests")
            names = [column[0] for column in cursor.description or ()]
            found: dict[K, list[Row]] = defaultdict(list)
            for values in cursor.fetchall():
                row = dict(zip(names, values, strict=True))
                found[key(row)].append(row)
    return found
