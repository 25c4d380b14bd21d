"""Cells that many tables have: names, moments, how a request ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard import formats
from dashboard.reasons import failure_name
from dashboard.source import Source
from dashboard.tables import Cell
from dashboard.words import error_name


def name(value: str | None) -> Cell:
    """A name, or a dash where there is none."""
    return Cell(text=formats.DASH, tone="muted") if value is None else Cell(text=value)


def moment(when: datetime | None, source: Source, now: datetime) -> Cell:
    """A time as short as it can be, on pointing at it to the second, with its day and zone; or a dash."""
    if when is None:
        return name(None)
    text = formats.moment(when, source.time_zone, now)
    return Cell(text=text, title=formats.exact_moment(when, source.time_zone))


def outcome(row: Mapping[str, Any]) -> Cell:
    """How a request of the ledger ended."""
    status = f"{row['status']} " if row["status"] else ""
    if row["error_class"] is not None:
        said = row["error_code"] or row["error_type"]
        why = failure_name(row["error_class"], row["error_reason"])
        return Cell(
            text=f"{status}{error_name(row['error_class'])}", tone="bad", title=f"{why} ({said})" if said else why
        )
    if row["outcome"] == "interrupted":
        return Cell(text=f"{status}broken off", tone="near", title="The stream was left or broke before its end.")
    if row["outcome"] == "unknown":
        return Cell(text="unknown", tone="near", title="The program died while the request was out.")
    return Cell(text=f"{status}OK", tone="good")
