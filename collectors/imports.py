"""Imports material: all of it is checked first, then its records go to the spool in order."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from collectors.material import Format, Material, Refusal
from monitor.errors import CollectorError
from monitor.records import Record
from monitor.spool.format import END, encode_facts
from monitor.spool.writer import SpoolWriter

_LINES: Final = 64
_STEP: Final = 4_096
_MOST_REFUSED: Final = 10_000

Told = Callable[[int], None]
"""Is told now and then how many rows are done."""


@dataclass(slots=True)
class Sums:
    """What the records of one model come to; tokens are None where no row tells of any."""

    requests: int = 0
    failed: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    def add(self, record: Record) -> None:
        """Count one more."""
        self.requests += 1
        self.failed += record.outcome == "failed"
        self.input_tokens = _both(self.input_tokens, record.input_tokens)
        self.output_tokens = _both(self.output_tokens, record.output_tokens)
        self.cache_read_input_tokens = _both(self.cache_read_input_tokens, record.cache_read_input_tokens)


def _both(one: int | None, other: int | None) -> int | None:
    return one if other is None else other + (one or 0)


@dataclass(slots=True)
class Content:
    """What a file holds: its rows, those of them that are no records, and what the records come to by model."""

    rows: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    sums: dict[str | None, Sums] = field(default_factory=dict)
    first: Record | None = None
    earliest: datetime | None = None

    @property
    def records(self) -> int:
        """Rows that are records."""
        return self.rows - len(self.refusals)


def check(material: Material, kind: Format, told: Told) -> Content:
    """Read all of a file and write nothing.

    Raises:
        CollectorError: it is no such file after all, has no rows, or most of them are no records.
    """
    content = Content()
    for found in kind.read(material):
        content.rows += 1
        if isinstance(found, Record):
            content.first = content.first or found
            content.earliest = min(content.earliest or found.started_at, found.started_at)
            content.sums.setdefault(found.request_model, Sums()).add(found)
        else:
            content.refusals.append(found)
            if len(content.refusals) > _MOST_REFUSED:
                raise CollectorError(
                    f"More than {_MOST_REFUSED:,} rows of {material.path} cannot be read, the first of them is row "
                    f"{content.refusals[0].row}: {content.refusals[0].reason}. Nothing was imported."
                )
        if content.rows % _STEP == 0:
            told(content.rows)
    if not content.records:
        why = f"; row {content.refusals[0].row}: {content.refusals[0].reason}" if content.refusals else ""
        raise CollectorError(f"The file {material.path} has no row that can be imported{why}.")
    _refuse_changed(material, "nothing was imported")
    return content


def rows_stored(material: Material, content: Content, is_stored: Callable[[str], bool]) -> int:
    """Up to which row the file was imported before, 0 for not at all.

    Rows go to the spool in their order, and from there to the ledger, so what is stored is always a first part.

    Args:
        material: the file.
        content: what `check` found in it.
        is_stored: whether the ledger has a record with this id.
    """
    refused = {refusal.row for refusal in content.refusals}

    def is_known(row: int) -> bool:
        while row in refused:
            row -= 1
        return row == 0 or is_stored(material.record_id(row))

    if is_known(content.rows):
        return content.rows
    # Nearly always either all is there or nothing.
    first = next(row for row in range(1, content.rows + 1) if row not in refused)
    if not is_known(first):
        return 0
    return bisect_right(range(content.rows + 1), 0, key=lambda row: 0 if is_known(row) else 1) - 1


def append(material: Material, kind: Format, writer: SpoolWriter, told: Told, *, after: int = 0) -> int:
    """Put the records of all rows behind `after` on the spool, in order; returns how many they are.

    Raises:
        CollectorError: the spool took no more, or the file was changed; the text says how far it came.
    """
    appended, row = 0, after
    for chunk in _chunks(islice(kind.read(material), after, None)):
        lines = [encode_facts(found) for found in chunk if isinstance(found, Record)]
        if lines and not writer.put(END, *lines):
            raise CollectorError(
                f"The spool takes no more: {appended:,} records of {material.path} were written, up to row {row}, the "
                "rest was not. Make room and run the same command again: the rest comes, and nothing twice."
            )
        appended += len(lines)
        row += len(chunk)
        told(row)
    _refuse_changed(material, f"{appended:,} records were imported, and they may be mixed")
    return appended


def _refuse_changed(material: Material, what: str) -> None:
    if not material.is_unchanged():
        raise CollectorError(f"The file {material.path} was changed while it was read: {what}.")


def _chunks(found: Iterator[Record | Refusal]) -> Iterator[tuple[Record | Refusal, ...]]:
    while chunk := tuple(islice(found, _LINES)):
        yield chunk
