"""Know what every OpenAI API call costs, and see trouble before the bill or the users do.

import monitor
from openai import OpenAI

client = monitor.wrap(OpenAI())
"""

import importlib
from typing import TYPE_CHECKING

from monitor.capture.attribution import tag
from monitor.capture.instrument import instrument, uninstrument
from monitor.capture.wrap import unwrap, wrap
from monitor.errors import (
    HomeError,
    MonitorError,
    SettingsError,
    WrapError,
)

if TYPE_CHECKING:
    from monitor.tracking import Spend, track
else:
    # Loaded when it is first used: most programs only record. Hidden from type checkers, who would take any name for
    # one that is found so.
    def __getattr__(name: str) -> object:
        if name not in ("Spend", "track"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module("monitor.tracking"), name)


__all__ = [
    "HomeError",
    "MonitorError",
    "SettingsError",
    "Spend",
    "WrapError",
    "instrument",
    "tag",
    "track",
    "uninstrument",
    "unwrap",
    "wrap",
]
__version__ = "0.1.0"
