"""How values are written: what each kind takes and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from monitor.errors import SettingsError
from monitor.settings import Settings

_GOOD: list[tuple[str, Any, Any]] = [
    ("home", "relative", Path.cwd() / "relative"),
    ("home", "~/data", Path.home() / "data"),
    ("home", "/data", Path("/data")),
    ("enabled", "TRUE", True),
    ("enabled", " on ", True),
    ("enabled", "1", True),
    ("enabled", "yes", True),
    ("enabled", "False", False),
    ("enabled", "off", False),
    ("enabled", "0", False),
    ("enabled", "no", False),
    ("enabled", False, False),
    ("enabled", 1, True),
    ("service", " shop ", "shop"),
    ("service", 5, "5"),
    ("port", "0", 0),
    ("port", " 65535 ", 65_535),
    ("port", 80, 80),
    ("drain_interval", "0.5", 0.5),
    ("drain_interval", "1e3", 1_000.0),
    ("drain_interval", 2, 2.0),
    ("segment_size", "33554432", 33_554_432),
    ("segment_size", "32MiB", 33_554_432),
    ("segment_size", "32 mib", 33_554_432),
    ("segment_size", "1GB", 10**9),
    ("segment_size", "1_000kb", 10**6),
    ("segment_size", "7b", 7),
    ("segment_size", 4_096, 4_096),
    ("spool_limit", "20GiB", 20 * 2**30),
    ("spool_limit", " None ", None),
    ("ledger_memory", "2GiB", 2 * 2**30),
    ("ledger_memory", "none", None),
    ("durability", " FSYNC ", "fsync"),
    ("durability", "group", "group"),
    ("time_zone", "Europe/Berlin", "Europe/Berlin"),
    (
        "providers",
        "a.com=azure.ai.openai, LOCALHOST:8000 = vllm ,",
        {"a.com": "azure.ai.openai", "localhost:8000": "vllm"},
    ),
    ("providers", {"A.com": "x"}, {"a.com": "x"}),
    ("tags", "Team=search, note=a%2Cb=c 100%", {"Team": "search", "note": "a,b=c 100%"}),
    ("tags", {"Team": "a%2Cb", "build": 3}, {"Team": "a%2Cb", "build": "3"}),
    ("deployments", "Our-Chat=gpt-4o", {"our-chat": "gpt-4o"}),
    ("deployments", {"Our-Chat": "gpt-4o"}, {"our-chat": "gpt-4o"}),
    ("frameworks", "acme, shop.llm,", ("acme", "shop.llm")),
    ("frameworks", ["acme", "shop.llm"], ("acme", "shop.llm")),
    ("frameworks", [], ()),
    ("unpriced_receivers", "on-call, finance,on-call,", ("on-call", "finance")),
    ("unpriced_receivers", ["on-call"], ("on-call",)),
    ("content", "true", True),
    ("content_limit", "1KiB", 1_024),
    ("content_redact", "email card cust-[0-9]{1,3}", ("email", "card", "cust-[0-9]{1,3}")),
    ("content_redact", ["email", "a b|c d"], ("email", "a b|c d")),
    ("content_redact", [], ()),
    ("content_retention", "0.5", 0.5),
    ("content_retention", 30, 30.0),
    ("smtp_url", "smtp://user:pass@mail:587", "smtp://user:pass@mail:587"),
    ("smtp_url", "smtps://mail", "smtps://mail"),
]
_BAD: list[tuple[str, Any, str]] = [
    ("home", " ", "must not be empty"),
    ("home", ["a"], "must be text"),
    ("enabled", "maybe", "true or false"),
    ("enabled", "2", "true or false"),
    ("service", " ", "must not be empty"),
    ("service", ["shop"], "must be text"),
    ("service", True, "must be text"),
    ("ledger_memory", "511MiB", "at least 512 MiB"),
    ("ledger_memory", "80%", "such as 33554432"),
    ("port", "-1", "whole number from 0 to 65535"),
    ("port", "65536", "whole number"),
    ("port", "80.5", "whole number"),
    ("port", 80.5, "whole number"),
    ("port", True, "whole number"),
    ("port", "²", "whole number"),
    ("port", [], "whole number"),
    ("drain_interval", "0", "above 0"),
    ("drain_interval", "-1", "above 0"),
    ("drain_interval", "inf", "above 0"),
    ("drain_interval", "nan", "above 0"),
    ("spool_keep", "1e18", "at most"),
    ("drain_interval", "soon", "number of seconds"),
    ("drain_interval", True, "number of seconds"),
    ("segment_size", "0", "a size such as"),
    ("segment_size", "1.5GB", "a size such as"),
    ("segment_size", "MiB", "a size such as"),
    ("segment_size", "-1", "a size such as"),
    ("segment_size", "1TB", "a size such as"),
    ("segment_size", "²", "a size such as"),
    ("segment_size", True, "a size such as"),
    ("spool_limit", "0", "a size such as"),
    ("spool_limit", "no", "a size such as"),
    ("durability", "fast", "os, group or fsync"),
    ("time_zone", "Mars/Olympus", "IANA time zone"),
    ("time_zone", "../../etc/passwd", "IANA time zone"),
    ("time_zone", "", "must not be empty"),
    ("content_redact", "(", "no regular expression"),
    ("content_redact", ["x*"], "also matches where there is nothing"),
    ("content_redact", ["x{99999999999}"], "no regular expression"),
    ("content_redact", [" "], "must not be empty"),
    ("content_redact", True, "must be text"),
    ("content_retention", "0", "above 0"),
    ("content_retention", "nan", "above 0"),
    ("content_retention", "36501", "at most 36500"),
    ("content_retention", "a week", "number of days"),
    ("providers", "a.com", "host=provider"),
    ("tags", "team", "name=value,name=value"),
    ("tags", ["team=search"], "must be text"),
    ("deployments", "gpt-4o", "deployment=model"),
    ("frameworks", "acme llm", "names of packages"),
    ("frameworks", "acme/llm", "names of packages"),
    ("frameworks", ".acme", "names of packages"),
    ("frameworks", [5], "names of packages"),
    ("frameworks", [["acme"]], "must be text"),
    ("frameworks", True, "must be text"),
    ("providers", "=x", "host=provider"),
    ("providers", "a.com=", "host=provider"),
    ("providers", ["a.com=x"], "must be text"),
    ("providers", {"a.com": ""}, "must not be empty"),
    ("providers", {"a.com": {"b": "c"}}, "must be text"),
    ("smtp_url", "http://mail", "must look like smtp://"),
    ("smtp_url", "mail:587", "must look like smtp://"),
    ("smtp_url", "smtp://", "must look like smtp://"),
    ("smtp_url", "smtp://mail:x", "port must be a number"),
    ("smtp_url", "smtp://mail:0", "must look like smtp://"),
]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_toml(part)}' for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _load(directory: Path, name: str, value: Any) -> Settings:
    (directory / "monitor.toml").write_text(f"{name} = {_toml(value)}\n", encoding="utf-8")
    return Settings.load({}, directory)


@pytest.mark.parametrize(("name", "value", "expected"), _GOOD)
def test_a_good_value_is_taken(tmp_path: Path, name: str, value: Any, expected: Any) -> None:
    """From a file, in each way it can be written."""
    assert getattr(_load(tmp_path, name, value), name) == expected


@pytest.mark.parametrize(("name", "value", "expected"), [case for case in _GOOD if isinstance(case[1], str)], ids=str)
def test_a_good_value_is_taken_from_a_variable(tmp_path: Path, name: str, value: str, expected: Any) -> None:
    """Which is always text."""
    assert getattr(Settings.load({f"MONITOR_{name.upper()}": value}, tmp_path), name) == expected


@pytest.mark.parametrize(("name", "value", "told"), _BAD)
def test_a_bad_value_is_refused(tmp_path: Path, name: str, value: Any, told: str) -> None:
    """With what it must be; it is never bent into something else."""
    with pytest.raises(SettingsError, match=told):
        _load(tmp_path, name, value)


def test_the_map_of_providers_cannot_be_changed(tmp_path: Path) -> None:
    """Settings are read once."""
    found = _load(tmp_path, "providers", {"a.com": "x"})

    with pytest.raises(TypeError):
        found.providers["a.com"] = "y"  # type: ignore[index]  # that it is refused is what is tested
