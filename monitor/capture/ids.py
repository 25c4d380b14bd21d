"""Ids of records: they sort by time, and no two are alike."""

import itertools
import os
import random
from typing import Final

_BYTES: Final = 16
_BITS: Final = 40
"""Those of each of the two parts that are not time."""


class Ids:
    """Ids of one process. A number of the process, and one that counts up: both begin at random."""

    def __init__(self) -> None:
        """Seeded by the system; a child would go on with its parent's numbers, so it begins anew."""
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        source = random.SystemRandom()
        process = source.getrandbits(_BITS) << _BITS
        # Leaves room for more than a life of counting.
        self._counter = itertools.count(process | source.getrandbits(_BITS - 1))

    def new(self, nanoseconds: int) -> str:
        """32 hex digits: 48 bits of milliseconds since 1970, 40 of the process, 40 that count."""
        # As one number: to write three of them takes three times as long.
        return (nanoseconds // 1_000_000 << 2 * _BITS | next(self._counter)).to_bytes(_BYTES, "big").hex()


new_id: Final = Ids().new
"""A new id at a time given in nanoseconds since 1970."""
