"""Which numbers of a segment are missing, as its last position says it."""

from typing import Final

NEWEST_GAPS: Final = """
    last(missing order by last_seq nulls first,
        -coalesce(list_sum(list_transform(missing, lambda span: span[2] - span[1] + 1)), 0))
"""
"""SQL over the positions of one segment: the ranges that were missing when it was last read, perhaps null.

Numbers go up, and a gap is only ever filled: so the last is told without a clock, which people and machines set back.
"""
