"""Ids of records: they sort by time, and no two are alike."""

import os
import random
from typing import Final

# Seeded by the system, and again in every child, which would go on with its parent's numbers otherwise.
_random: Final = random.Random()  # noqa: S311 - ids are no secrets
os.register_at_fork(after_in_child=_random.seed)


def new_id(nanoseconds: int) -> str:
    """32 hex digits: 48 bits of milliseconds since 1970, then 80 random bits."""
    return f"{nanoseconds // 1_000_000:012x}{_random.getrandbits(80):020x}"
