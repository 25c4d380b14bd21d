"""What a reader is given, and what it makes of it: records, and refusals for what can be none."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from monitor.errors import CollectorError
from monitor.records import IMPORT, Record

_BITE: Final = 2**20
_DIGEST_SIZE: Final = 10
_ROW_SIZE: Final = 6


class UnreadableError(ValueError):
    """A row of the material is not as it must be; the text names the field and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that is no record, and why. Rows count from 1; the names of the columns are no row."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the person who imports says of all rows.

    `start` is where the first second of a file lies that has only seconds from its start; `model` is that of rows that
    name none; `models` are other names for models.
    """

    start: datetime | None = None
    model: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    provider_name: str | None = None
    service: str | None = None
    environment: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A file to be imported. `digest` is that of its content: renamed or copied it stays the same material."""

    path: Path
    digest: bytes
    given: Given
    stamp: tuple[int, int]

    @classmethod
    def open(cls, path: Path, given: Given) -> "Material":
        """Read the file once for its digest.

        Raises:
            CollectorError: it cannot be read.
        """
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while bite := file.read(_BITE):
                    digest.update(bite)
                stamp = _stamp_of(os.fstat(file.fileno()))
        except OSError as error:
            raise CollectorError(f"The file {path} cannot be read: {error.strerror}.") from error
        return cls(path=path, digest=digest.digest(), given=given, stamp=stamp)

    def is_unchanged(self) -> bool:
        """Whether the file is still as it was when its digest was made."""
        return _stamp_of(self.path.stat()) == self.stamp

    def record_id(self, row: int) -> str:
        """The id of a row's record: the same whenever this content is imported, whatever is said about it."""
        return self.digest[:_DIGEST_SIZE].hex() + row.to_bytes(_ROW_SIZE, "big").hex()

    def record(self, row: int, *, after: timedelta, provider_name: str, model: str | None, **facts: Any) -> Record:
        """The record of a row; what is given of all rows is added.

        Args:
            row: its number, from 1.
            after: the time from the start of the file.
            provider_name: who answered, where nothing else was given.
            model: the model as the row names it.
            facts: the other fields of the record.

        Raises:
            CollectorError: no start was given.
            UnreadableError: the time is further away than there is time.
        """
        given, record_id = self.given, self.record_id(row)
        name = model if model is not None else given.model
        return Record(
            record_id=record_id,
            call_id=record_id,
            attempt=0,
            started_at=self._moment(after),
            provider_name=given.provider_name or provider_name,
            request_model=None if name is None else given.models.get(name, name),
            service=given.service,
            environment=given.environment,
            team=given.team,
            source=IMPORT,
            **facts,
        )

    def _moment(self, after: timedelta) -> datetime:
        if self.given.start is None:
            raise CollectorError(
                f"The file {self.path} says only how much later than its start a request came, not when it started: "
                "give the moment of its second 0, such as --start 2026-11-01."
            )
        try:
            return self.given.start + after
        except OverflowError:
            raise UnreadableError(
                f"{after} after {self.given.start:%Y-%m-%d} is further away than there is time"
            ) from None


def _stamp_of(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_size, facts.st_mtime_ns


Read = Callable[[Material], Iterator[Record | Refusal]]
"""Yields one record or refusal for each row, in the order of the file; takes it in bites, however large it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of material: its name, how it is told from others, and its reader.

    `differs` says what keeps a file from being of this kind, None where nothing does; it looks at the start only.
    """

    name: str
    title: str
    differs: Callable[[Path], str | None]
    read: Read
