"""Finds what is whole in a damaged piece of a segment."""

import re
from bisect import bisect_right
from typing import Final

from monitor.spool.format import is_intact

# In a text of a line quotes are escaped, and a number in the place of `seq` stands in no object within a line.
_START: Final = re.compile(rb'\{"seq":\d{1,19},"kind":"')
_END: Final = re.compile(rb',"crc":"[0-9a-f]{8}"\}')
_ENDS_TRIED: Final = 4
_BYTES_TRIED: Final = 8


def rescue(piece: bytes) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """The intact lines in a piece that is none, and the rest of it with the place of each part.

    Two lines whose newline was lost stand in one piece, and an intact line may have garbage before or behind it.
    """
    ends = [found.end() for found in _END.finditer(piece)]
    # A piece without any sense must not keep the drain busy.
    effort = _BYTES_TRIED * len(piece) + 2**20
    lines, rest, done = [], [], 0
    for found in _START.finditer(piece) if ends else ():
        start = found.start()
        if start < done:
            continue
        first = bisect_right(ends, start)
        for end in ends[first : first + _ENDS_TRIED]:
            effort -= end - start
            if effort < 0:
                break
            if is_intact(piece[start:end]):
                rest.append((done, piece[done:start]))
                lines.append(piece[start:end])
                done = end
                break
    rest.append((done, piece[done:]))
    # Nothing at all, as between two newlines, is told too.
    return lines, [(place, part) for place, part in rest if part or not lines]
