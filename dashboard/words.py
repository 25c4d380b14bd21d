"""Plain words for the states and classes that the ledger and the control store name in one word."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authentication": "API key refused",
        "cancelled": "Cancelled",
        "conflict": "Conflict",
        "connection": "Connection failed",
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
PRICING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "priced": "The cost is known",
        "unpriced": "No price for what was used",
        "impossible": "The token counts contradict each other",
        "no_usage": "The answer stated no usage, or never came",
        "repeated": "Another request counts what was used",
        "pending": "The work goes on: what it used comes later",
        "free": "Nothing to pay for",
    }
)
DROPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "disk_full": "The disk was full",
        "disk_fault": "The disk is damaged",
        "read_only": "The disk could not be written",
        "no_permission": "The directory belongs to somebody else",
        "no_directory": "The directory could not be made",
        "unsafe_directory": "Others may write to the directory",
        "too_many_files": "Too many files were open",
        "spool_full": "The spool held as much as MONITOR_SPOOL_LIMIT allows",
        "removed": "The file was removed while it was written",
        "write_failed": "Writing failed",
        "unknown": "Nothing tells why",
    }
)
_CONTENT: Final = "content_"
_QUARANTINE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "checksum": "Checksum is wrong",
        "torn": "Cut off at its end",
        "not_a_record": "Not a record",
    }
)


TELLERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "client": "a wrapped client",
        "gateway": "a gateway",
        "otlp": "a trace",
        "http": "a program by itself",
        "import": "an import",
    }
)


def error_name(error_class: str) -> str:
    """A class of errors in words."""
    return ERRORS.get(error_class, _spaced(error_class))


def pricing_state(state: str) -> str:
    """Why the cost of a request is known or not."""
    return PRICING.get(state, _spaced(state))


def source_name(source: str) -> str:
    """Who told of a request."""
    return TELLERS.get(source, source)


def drop_reason(reason: str) -> str:
    """Why records, or the contents that belong to records, could not be written."""
    if reason.startswith(_CONTENT):
        return f"{drop_reason(reason.removeprefix(_CONTENT))} (contents)"
    return DROPS.get(reason, _spaced(reason))


def quarantine_reason(reason: str) -> str:
    """Why a line of the spool could not be read."""
    return _QUARANTINE.get(reason, _spaced(reason))


def _spaced(word: str) -> str:
    return word.replace("_", " ").capitalize()
