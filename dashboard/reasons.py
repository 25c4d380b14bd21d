"""Failures in words: their class and what lies behind it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dashboard.words import error_name

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account": "account deactivated",
        "batch": "whole batch",
        "batch_line": "line of a batch",
        "batch_queue": "batch queue full",
        "billing_not_active": "billing not active",
        "bio": "biology",
        "client": "client hung up",
        "closed": "closed by the server",
        "connect": "while connecting",
        "credit_balance": "no credit left",
        "cyber": "cyber security",
        "data_residency": "data residency",
        "deployment": "deployment",
        "dns": "name not found (DNS)",
        "encoding": "content encoding",
        "exit": "program ended",
        "file": "file",
        "flex_unavailable": "no capacity for tier flex",
        "gateway": "gateway",
        "hard_limit": "hard limit of billing",
        "image": "image",
        "insufficient_quota": "no quota left",
        "interrupt": "Ctrl-C",
        "json": "broken JSON",
        "key": "key",
        "misalignment": "misalignment",
        "model": "model",
        "organization_spend_limit": "spend limit of the organization",
        "output": "no room for the answer",
        "pool": "no free connection",
        "project_spend_limit": "spend limit of the project",
        "prompt": "prompt",
        "protocol": "broken HTTP",
        "proxy": "proxy",
        "read": "while waiting for data",
        "refused": "refused",
        "region": "country or region",
        "requests": "requests",
        "requests_per_day": "requests a day",
        "reset": "reset",
        "response": "response",
        "sandbox": "sandbox",
        "server": "told by the server",
        "session_budget": "budget of the session",
        "size": "body too large",
        "slow_down": "traffic grew too fast",
        "state": "wrong state",
        "task": "by the program",
        "tls": "TLS",
        "tokens": "tokens",
        "tokens_per_day": "tokens a day",
        "too_many_files": "too many open files",
        "unreachable": "network unreachable",
        "url": "URL",
        "usage_limit": "usage limit",
        "vector_store": "vector store",
        "version": "version",
        "write": "while sending",
    }
)
"""All that the product itself calls a reason; what providers call their parameters and limits comes besides."""


def reason_name(error_reason: str) -> str:
    """What lies behind a class of errors, in words; names of parameters stay as they are but for their lines."""
    return REASONS.get(error_reason, error_reason.replace("_", " "))


def failure_name(error_class: str, error_reason: str | None) -> str:
    """`Rate limit: tokens`, or the class alone where no reason is known."""
    name = error_name(error_class)
    return name if error_reason is None else f"{name}: {reason_name(error_reason)}"
