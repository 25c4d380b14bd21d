"""The page about settings says what the code does."""

import re

import pytest

from monitor.settings import Settings, described
from tests.architecture.sources import ROOT

_ROW = re.compile(r"\| `(?P<name>\w+)` \| `(?P<variable>\w+)`[^|]* \| (?P<default>[^|]+) \| (?P<meaning>[^|]+) \|")
_ROWS = {
    match["name"]: match
    for line in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    if (match := _ROW.fullmatch(line.strip()))
}
_FIELDS = described()


def test_the_page_lists_each_setting_once_and_no_other() -> None:
    """Nobody has to read the code to find a setting."""
    assert list(_ROWS) == list(_FIELDS)


@pytest.mark.parametrize("name", _FIELDS)
def test_the_page_names_the_variable(name: str) -> None:
    """The variable is the name in capitals behind `MONITOR_`."""
    assert _ROWS[name]["variable"] == f"MONITOR_{name.upper()}"


@pytest.mark.parametrize("name", [name for name in _FIELDS if name != "home"])
def test_the_page_names_the_default(name: str) -> None:
    """Setting what stands in the column `default` changes nothing."""
    stated = _ROWS[name]["default"].strip()
    value = _FIELDS[name].parse(stated.strip("`")) if stated.startswith("`") else None
    default = getattr(Settings(), name)

    assert value == (None if default in ({}, ()) else default)


@pytest.mark.parametrize("name", _FIELDS)
def test_the_page_says_what_the_setting_means(name: str) -> None:
    """The meaning is the sentence that stands at the setting."""
    assert _ROWS[name]["meaning"].strip() == _FIELDS[name].doc
