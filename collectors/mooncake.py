"""Mooncake: requests of an online chat service with the reuse of their prompts' beginnings (Moonshot AI, FAST 2025).

Two shapes: the published lines of JSON with the hashes of each prompt's blocks, and a Parquet file with their numbers.
What an earlier request had of a prompt's leading blocks is what a prompt cache could have served: it becomes
`cache_read_input_tokens`.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from collectors.fields import count_of, span_of
from collectors.material import Format, Material, Refusal, UnreadableError
from monitor.errors import CollectorError
from monitor.records import Record

_MILLISECOND: Final = timedelta(milliseconds=1)
_BLOCK: Final = 512
_PROVIDER: Final = "moonshotai"
_PARQUET: Final = ("timestamp_ms", "input_tokens", "output_tokens", "prefix_blocks_seen_before")
_JSON: Final = ("timestamp", "input_length", "output_length")
_BITE: Final = 8_192
_LONGEST_LINE: Final = 16 * 2**20
_MOST_BLOCKS: Final = 2**28
_BOM: Final = b"\xef\xbb\xbf"


def _differs_parquet(path: Path) -> str | None:
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError):
        return "it is no Parquet file"
    return _missing(_PARQUET, names)


def _differs_lines(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.readline(_LONGEST_LINE).removeprefix(_BOM)
    try:
        first = msgspec.json.decode(head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "its first line is no JSON"
    return _missing(_JSON, first) if isinstance(first, dict) else "its first line is no JSON object"


def _missing(wanted: tuple[str, ...], found: Any) -> str | None:
    missing = [name for name in wanted if name not in found]
    return f"it lacks {', '.join(missing)}" if missing else None


def _read_parquet(material: Material) -> Iterator[Record | Refusal]:
    row = 0
    try:
        with pq.ParquetFile(material.path) as file:
            for batch in file.iter_batches(batch_size=_BITE, columns=list(_PARQUET)):
                for values in zip(*(batch[name].to_pylist() for name in _PARQUET), strict=True):
                    row += 1
                    yield _record_or_refusal(material, row, dict(zip(_PARQUET, values, strict=True)))
    except (pa.ArrowException, OSError) as error:
        raise CollectorError(f"The Parquet file {material.path} is damaged after row {row}: {error}") from error


def _record_or_refusal(material: Material, row: int, facts: dict[str, Any]) -> Record | Refusal:
    try:
        reused = count_of("prefix_blocks_seen_before", facts["prefix_blocks_seen_before"])
        return _record(material, row, facts, names=_PARQUET, reused=reused)
    except UnreadableError as error:
        return Refusal(row=row, reason=str(error))


def _read_lines(material: Material) -> Iterator[Record | Refusal]:
    seen = _Blocks()
    for row, line in enumerate(_lines(material.path), start=1):
        try:
            facts = _facts(line)
            yield _record(material, row, facts, names=_JSON, reused=seen.reused(facts.get("hash_ids")))
        except UnreadableError as error:
            yield Refusal(row=row, reason=str(error))


def _lines(path: Path) -> Iterator[bytes]:
    """The lines that are not blank."""
    with path.open("rb") as file:
        number, line = 1, file.readline(_LONGEST_LINE).removeprefix(_BOM)
        while line:
            if len(line) >= _LONGEST_LINE:
                raise CollectorError(f"Line {number} of {path} is longer than {_LONGEST_LINE:,} bytes.")
            if line.strip():
                yield line
            number, line = number + 1, file.readline(_LONGEST_LINE)


def _facts(line: bytes) -> dict[str, Any]:
    try:
        facts = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableError(f"it is no JSON: {error}") from None
    if not isinstance(facts, dict):
        raise UnreadableError(f"it is {facts!r}, not a JSON object")
    missing = _missing(_JSON, facts)
    if missing:
        raise UnreadableError(missing)
    return facts


class _Blocks:
    """The blocks that earlier requests had: a byte for each, for they are numbered from 0."""

    def __init__(self) -> None:
        self._seen = bytearray()

    def reused(self, blocks: object) -> int | None:
        """How many of the leading blocks were seen before; None where the row names no blocks."""
        if blocks is None:
            return None
        if not isinstance(blocks, list) or any(type(block) is not int for block in blocks):
            raise UnreadableError("hash_ids is not a list of whole numbers")
        most = max(blocks, default=0)
        for block in (most, min(blocks, default=0)):
            if not 0 <= block < _MOST_BLOCKS:
                raise UnreadableError(f"hash_ids has {block}; it must be from 0 to {_MOST_BLOCKS - 1:,}")
        self._seen.extend(bytes(max(most + 1 - len(self._seen), 0)))
        reused = next((place for place, block in enumerate(blocks) if not self._seen[block]), len(blocks))
        for block in blocks[reused:]:
            self._seen[block] = 1
        return reused


def _record(
    material: Material, row: int, facts: dict[str, Any], *, names: tuple[str, ...], reused: int | None
) -> Record:
    moment, asked, answered = names[:3]
    input_tokens = count_of(asked, facts[asked])
    return material.record(
        row,
        after=span_of(moment, facts[moment], unit=_MILLISECOND),
        provider_name=_PROVIDER,
        model=None,
        operation_name="chat",
        endpoint="/chat/completions",
        is_billable=True,
        usage_source="imported",
        input_tokens=input_tokens,
        output_tokens=count_of(answered, facts[answered]),
        # The last block of a prompt is rarely full.
        cache_read_input_tokens=None if reused is None else min(reused * _BLOCK, input_tokens),
    )


MOONCAKE_PARQUET: Final = Format(
    name="mooncake", title="Mooncake, Parquet", differs=_differs_parquet, read=_read_parquet
)
MOONCAKE_LINES: Final = Format(name="mooncake", title="Mooncake, JSON lines", differs=_differs_lines, read=_read_lines)
