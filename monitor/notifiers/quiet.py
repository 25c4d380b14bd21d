"""Keeps the logs of libraries from telling what we must not: they write whole URLs, tokens included."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


@contextmanager
def quiet(*loggers: str) -> Iterator[list[str]]:
    """Silence loggers for what runs in this context; gives the warnings they wanted to write.

    Everything else in the process keeps logging: the filter stays installed, and lets pass what comes from elsewhere.
    """
    for name in loggers:
        logging.getLogger(name).addFilter(_passes)
    lines: list[str] = []
    token = _collected.set(lines)
    try:
        yield lines
    finally:
        _collected.reset(token)


def _passes(record: logging.LogRecord) -> bool:
    lines = _collected.get()
    if lines is None:
        return True
    if record.levelno >= logging.WARNING:
        lines.append(record.getMessage())
    return False
