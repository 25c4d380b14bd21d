"""Plain words for the states and classes that the ledger and the control store name in one word."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dashboard.tables import Cell

_ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authentication": "API key refused",
        "cancelled": "Cancelled by the program",
        "conflict": "Conflict",
        "connection": "No connection",
        "content_filter": "Content filter",
        "context_length": "Prompt too long",
        "invalid_request": "Invalid request",
        "not_found": "Not found",
        "overloaded": "Overloaded",
        "parse": "Unreadable answer",
        "permission": "No permission",
        "quota": "Quota used up",
        "rate_limit": "Rate limit",
        "server": "Server error",
        "timeout": "Timeout",
    }
)
_PRICING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unpriced": "No price is known",
        "impossible": "The token counts contradict each other",
        "no_usage": "The answer stated no usage, or never came",
        "pending": "The work goes on: what it used comes later",
    }
)
_DROPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "disk_full": "The disk was full",
        "disk_fault": "The disk is damaged",
        "read_only": "The disk could not be written",
        "no_permission": "The directory belongs to somebody else",
        "no_directory": "The directory could not be made",
        "unsafe_directory": "Others may write to the directory",
        "too_many_files": "Too many files were open",
        "removed": "The file was removed while it was written",
        "write_failed": "Writing failed",
    }
)
_QUARANTINE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "checksum": "Checksum is wrong",
        "torn": "Cut off at its end",
        "not_a_record": "Not a record",
    }
)


def error_name(error_class: str) -> str:
    """A class of errors in words."""
    return _ERRORS.get(error_class, error_class.replace("_", " ").capitalize())


def pricing_state(state: str) -> str:
    """Why the cost of a request is not known."""
    return _PRICING.get(state, state.replace("_", " ").capitalize())


def drop_reason(reason: str) -> str:
    """Why records could not be written."""
    return _DROPS.get(reason, reason.replace("_", " ").capitalize())


def quarantine_reason(reason: str) -> str:
    """Why a line of the spool could not be read."""
    return _QUARANTINE.get(reason, reason.replace("_", " ").capitalize())


def outcome(row: Mapping[str, Any]) -> Cell:
    """How a request of the ledger ended."""
    status = f"{row['status']} " if row["status"] else ""
    if row["error_class"] is not None:
        said = row["error_code"] or row["error_type"] or ""
        return Cell(text=f"{status}{error_name(row['error_class'])}", tone="bad", title=said)
    if row["outcome"] == "interrupted":
        return Cell(text=f"{status}broken off", tone="near", title="The stream was left or broke before its end.")
    if row["outcome"] == "unknown":
        return Cell(text="unknown", tone="near", title="The program died while the request was out.")
    return Cell(text=f"{status}OK", tone="good")
