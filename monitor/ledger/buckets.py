"""Durations as counts in log-scaled buckets, which can be added; a quantile read from them is at most 2 % off.

The scheme is that of DDSketch (Masson, Rim, Lee, VLDB 2019): bucket i holds gamma^(i-1) < x <= gamma^i.
"""

import math
from typing import Final

RELATIVE_ERROR: Final = 0.02
GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOWEST: Final = 1e-6


def bucket_sql(column: str) -> str:
    """SQL of the bucket number of a duration in seconds; null stays null."""
    return f"cast(ceil(ln(greatest({column}, {_LOWEST})) / {math.log(GAMMA)!r}) as smallint)"


def quantile(buckets: dict[int, int], q: float) -> float | None:
    """The q-quantile in seconds of bucket counts, None where there are none."""
    total = sum(buckets.values())
    if not total:
        return None
    rank = q * (total - 1)
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen > rank:
            return float(2 * GAMMA**bucket / (GAMMA + 1))
    return None
