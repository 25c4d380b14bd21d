"""Our own counters: what we lost, what we caught, what we sent."""

import threading
from collections import Counter
from collections.abc import Mapping


class Health:
    """Counters of one process; names end in `_total`. Safe to use from any thread."""

    def __init__(self) -> None:
        """Start with every counter at zero."""
        # Re-entrant: a finalizer or a signal's handler may count in the middle of counting.
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str, amount: int = 1) -> int:
        """Add to a counter and return its new value."""
        with self._lock:
            self._counts[name] += amount
            return self._counts[name]

    def counts(self) -> Mapping[str, int]:
        """A copy of all counters that were ever touched."""
        with self._lock:
            return dict(self._counts)
