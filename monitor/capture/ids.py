"""Ids of records: they sort by time, and no two are alike."""

import itertools
import os
import random
from typing import Final

_SIZE: Final = 10
"""Hex digits of each of the two halves that are not time: 40 bits."""


class Ids:
    """Ids of one process. A number of the process, and one that counts up: both begin at random."""

    def __init__(self) -> None:
        """Seeded by the system; a child would go on with its parent's numbers, so it begins anew."""
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        source = random.SystemRandom()
        self._process = f"{source.getrandbits(4 * _SIZE):0{_SIZE}x}"
        # Leaves room for more than a life of counting.
        self._counter = itertools.count(source.getrandbits(4 * _SIZE - 1))

    def new(self, nanoseconds: int) -> str:
        """32 hex digits: 48 bits of milliseconds since 1970, 40 of the process, 40 that count."""
        return f"{nanoseconds // 1_000_000:012x}{self._process}{next(self._counter):010x}"


new_id: Final = Ids().new
"""A new id at a time given in nanoseconds since 1970."""
