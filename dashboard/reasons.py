"""Failures in words: their class and what lies behind it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dashboard.words import error_name

_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dns": "name not found (DNS)",
        "flex_unavailable": "no capacity for tier flex",
        "insufficient_quota": "no quota left",
        "pool": "no free connection",
        "requests_per_day": "requests a day",
        "slow_down": "traffic grew too fast",
        "tls": "TLS",
        "tokens_per_day": "tokens a day",
    }
)


def reason_name(error_reason: str) -> str:
    """What lies behind a class of errors, in words; names of parameters stay as they are but for their lines."""
    return _REASONS.get(error_reason, error_reason.replace("_", " "))


def failure_name(error_class: str, error_reason: str | None) -> str:
    """`Rate limit: tokens`, or the class alone where no reason is known."""
    name = error_name(error_class)
    return name if error_reason is None else f"{name}: {reason_name(error_reason)}"
