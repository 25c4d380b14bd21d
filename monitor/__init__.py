"""Know what every OpenAI API call costs, and see trouble before the bill or the users do.

import monitor
from openai import OpenAI

client = monitor.wrap(OpenAI())
"""

from monitor.capture.attribution import tag
from monitor.capture.wrap import unwrap, wrap
from monitor.errors import (
    HomeError,
    MonitorError,
    SettingsError,
    WrapError,
)

__all__ = ["HomeError", "MonitorError", "SettingsError", "WrapError", "tag", "unwrap", "wrap"]
__version__ = "0.1.0"
