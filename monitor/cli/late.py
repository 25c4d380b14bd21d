"""Modules that are loaded only when a command needs them."""

import importlib
from typing import Any


def late(name: str) -> Any:
    """A module by name.

    The pages and their libraries take two seconds to load; `monitor report` and its like must not wait for them.
    """
    return importlib.import_module(name)
