"""Which numbers of a segment were read: shows what is missing, and what stands there twice."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.spool.format import seq_of

_LOOKED_AT: Final = 32


@dataclass(frozen=True, slots=True)
class Seen:
    """The numbers of a segment that were read: all below `next_seq` but the `missing` ones.

    `missing` are ranges, first and last number of each, in the order of the numbers.
    """

    next_seq: int = 0
    missing: tuple[tuple[int, int], ...] = ()

    @property
    def missing_count(self) -> int:
        """How many numbers no intact line had."""
        return sum(last - first + 1 for first, last in self.missing)

    def has(self, seq: int) -> bool:
        """Whether the line with this number was read."""
        return seq < self.next_seq and not any(first <= seq <= last for first, last in self.missing)


def look(lines: Sequence[bytes], seen: Seen, *, is_damaged: bool) -> tuple[Sequence[bytes], Seen]:
    """The lines that were not read before, and what was read with them.

    Args:
        lines: intact lines in the order of the file.
        seen: what was read before.
        is_damaged: whether anything else stood among the lines.
    """
    if not lines:
        return lines, seen
    if not is_damaged and _is_in_order(lines, seen.next_seq):
        return lines, Seen(seen.next_seq + len(lines), seen.missing)
    return _look_closer(lines, seen)


def _is_in_order(lines: Sequence[bytes], first: int) -> bool:
    """Whether each line has the next number, judged by the last line and some of the others.

    Nothing hides between these: a disk that puts a block in the place of another one leaves torn lines at its edges,
    and whoever sorts lines moves more than a few.
    """
    step = max(len(lines) // _LOOKED_AT, 1)
    places = (*range(0, len(lines), step), len(lines) - 1)
    return all(seq_of(lines[place]) == first + place for place in places)


def _look_closer(lines: Iterable[bytes], seen: Seen) -> tuple[Sequence[bytes], Seen]:
    new: list[bytes] = []
    missing = _Ranges(seen.missing)
    next_seq = seen.next_seq
    for line in lines:
        seq = seq_of(line)
        if seq is None or seq >= next_seq:
            new.append(line)
            if seq is not None:
                missing.add(next_seq, seq - 1)
                next_seq = seq + 1
        elif missing.take(seq):
            new.append(line)
    return new, Seen(next_seq, missing.ranges())


class _Ranges:
    """Ranges of numbers that can be taken out one by one."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._last_of = dict(ranges)
        self._firsts = sorted(self._last_of)

    def add(self, first: int, last: int) -> None:
        if first <= last:
            self._last_of[first] = last
            insort(self._firsts, first)

    def take(self, number: int) -> bool:
        """Whether it was in one of them; it is not any more."""
        place = bisect_right(self._firsts, number) - 1
        if place < 0 or self._last_of[self._firsts[place]] < number:
            return False
        first = self._firsts.pop(place)
        last = self._last_of.pop(first)
        self.add(first, number - 1)
        self.add(number + 1, last)
        return True

    def ranges(self) -> tuple[tuple[int, int], ...]:
        return tuple((first, self._last_of[first]) for first in self._firsts)
