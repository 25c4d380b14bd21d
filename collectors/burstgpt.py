"""BurstGPT: a row for each request to GPT-3.5 and GPT-4 at a university's Azure account (Wang et al., KDD 2025).

CSV, as published: `Timestamp` is seconds from 0:00 of the first day. The later files have a session and the elapsed
time too. A request without response tokens failed, says the publisher; such a row has no tokens at all, or those of
its request. It does not say why.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from collectors.fields import count_of, span_of, text_of
from collectors.material import Format, Material, Refusal, UnreadableError
from monitor.errors import CollectorError
from monitor.records import Record

_SECOND: Final = timedelta(seconds=1)
_TOKENS: Final = ("Request tokens", "Response tokens", "Total tokens")
_REQUIRED: Final = ("Timestamp", "Model", *_TOKENS, "Log Type")
_PROVIDER: Final = "azure.ai.openai"
_HEAD: Final = 4_096


def _differs(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.readline(_HEAD)
    try:
        names = _names(head.decode("utf-8-sig").rstrip("\r\n").split(","))
    except UnicodeDecodeError:
        return "its first line is no text"
    missing = [name for name in _REQUIRED if name not in names]
    return f"it lacks the columns {', '.join(missing)}" if missing else None


def _read(material: Material) -> Iterator[Record | Refusal]:
    for number, row in enumerate(_rows(material.path), start=1):
        try:
            yield _record(material, number, row)
        except UnreadableError as error:
            yield Refusal(row=number, reason=str(error))


def _rows(path: Path) -> Iterator[Mapping[str, str] | int]:
    """The rows by column; of one with too few or too many fields only how many it has."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            names = _names(next(lines))
            for fields in lines:
                if fields:
                    yield dict(zip(names, fields, strict=True)) if len(fields) == len(names) else len(fields)
        except (csv.Error, UnicodeDecodeError) as error:
            raise CollectorError(f"The file {path} is not CSV after line {lines.line_num}: {error}.") from error


def _names(fields: list[str]) -> list[str]:
    return [field.strip() for field in fields]


def _record(material: Material, number: int, row: Mapping[str, str] | int) -> Record:
    if isinstance(row, int):
        raise UnreadableError(f"it has {row} fields, not as many as there are columns")
    asked, answered, total = (count_of(name, row[name].strip()) for name in _TOKENS)
    if total != asked + answered:
        raise UnreadableError(f"Total tokens is {total}, not the sum of {asked} and {answered}")
    elapsed = row.get("Elapsed time", "").strip()
    return material.record(
        number,
        after=span_of("Timestamp", row["Timestamp"].strip(), unit=_SECOND),
        provider_name=_PROVIDER,
        model=text_of(row["Model"]),
        operation_name="chat",
        endpoint="/chat/completions",
        is_billable=True,
        duration=span_of("Elapsed time", elapsed, unit=_SECOND).total_seconds() if elapsed else None,
        session=text_of(row.get("Session ID", "")),
        feature=text_of(row["Log Type"]),
        **_outcome(asked, answered),
    )


def _outcome(asked: int, answered: int) -> dict[str, Any]:
    # An error without a name counts as the server's.
    facts: dict[str, Any] = {} if answered else {"outcome": "failed", "error_class": "server"}
    if asked or answered:
        facts |= {"usage_source": "imported", "input_tokens": asked, "output_tokens": answered}
    return facts


BURSTGPT: Final = Format(name="burstgpt", title="BurstGPT, CSV", differs=_differs, read=_read)
