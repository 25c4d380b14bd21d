"""Makes the functions of the pretended shop look like code that is not ours, as capture passes over our own."""

import inspect
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, cast

from monitor.demo.company import C, Feature


class Place(NamedTuple):
    """Where in the shop's code a call is made."""

    file: str
    line: int
    function: str


def place_of(feature: Feature[Any]) -> Place:
    """The statement that makes the call of this feature."""
    lines, first = inspect.getsourcelines(feature.call)
    offset = next(number for number, line in enumerate(lines) if ".create(" in line)
    file = _file_of(feature.call)
    return Place(file, first + offset, f"{_module_of(file)}.{feature.call.__name__}")


def as_program(feature: Feature[C]) -> Callable[[C, Any], Any]:
    """The function of a feature, as if it stood in a program of its own beside the working directory."""
    function = cast("FunctionType", feature.call)
    name = _file_of(function)
    code = function.__code__.replace(co_filename=name)
    facts = function.__globals__ | {"__name__": _module_of(name)}
    return cast("Callable[[C, Any], Any]", FunctionType(code, facts, function.__name__))


def _file_of(function: Callable[..., Any]) -> str:
    path = Path(inspect.getsourcefile(function) or "")
    return f"{path.parent.name}/{path.name}"


def _module_of(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")
