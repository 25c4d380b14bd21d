"""How the values of settings are written: each reader takes text, or what a TOML file has, or raises ValueError."""

import re
import zoneinfo
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_SIZE_UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_MAX_PORT = 65_535
_MOST_CONTENT = 8 * 2**20
_LEAST_MEMORY = 512 * 2**20
_MOST_DAYS = 36_500
_MOST_SECONDS = _MOST_DAYS * 86_400
_LEAST_DAYS = 32

Read = Callable[[Any], Any]


def text(value: Any) -> str:
    """Text that is not empty; numbers are taken as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("it must be text")  # noqa: TRY004 - one kind of error for all that cannot be used
    found = str(value).strip()
    if not found:
        raise ValueError("it must not be empty")
    return found


def path(value: Any) -> Path:
    """A path; `~` and a relative one are made absolute."""
    return Path(text(value)).expanduser().absolute()


def flag(value: Any) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("it must be true or false")


def port(value: Any) -> int:
    """A number of a TCP port; 0 means a free one."""
    digits = str(value).strip()
    # Not int() alone, which would take 80.5 and true from a file.
    if not (digits.isascii() and digits.isdecimal()) or int(digits) > _MAX_PORT:
        raise ValueError(f"it must be a whole number from 0 to {_MAX_PORT}")
    return int(digits)


def up_to(most: float, unit: str) -> Read:
    """A reader of numbers above 0, at most `most`."""

    def parse(value: Any) -> float:
        try:
            number = float(str(value))
        except ValueError:
            raise ValueError(f"it must be a number of {unit}") from None
        if not 0 < number <= most:
            raise ValueError(f"it must be a number of {unit} above 0, at most {most}")
        return number

    return parse


seconds = up_to(_MOST_SECONDS, "seconds")
days = up_to(_MOST_DAYS, "days")


def long_days(value: Any) -> float | None:
    """Days, or None for `forever`."""
    if str(value).strip().lower() == "forever":
        return None
    number: float = days(value)
    if number < _LEAST_DAYS:
        raise ValueError(f"it must be forever, or at least {_LEAST_DAYS} days: usage may come so late")
    return number


def patterns(value: Any) -> tuple[str, ...]:
    """Regular expressions, none of which matches nothing."""
    found = tuple(map(text, value if isinstance(value, list | tuple) else text(value).split()))
    for pattern in found:
        try:
            matches_nothing = re.search(pattern, "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{pattern!r} is no regular expression ({error})") from None
        if matches_nothing:
            raise ValueError(f"{pattern!r} also matches where there is nothing")
    return found


def size(value: Any) -> int:
    """Bytes, with or without a unit."""
    word = str(value).strip().lower().replace(" ", "").replace("_", "")
    digits = word.rstrip("bkmgi")
    unit = _SIZE_UNITS.get(word[len(digits) :])
    if not (digits.isascii() and digits.isdecimal()) or unit is None or int(digits) == 0:
        raise ValueError("it must be a size such as 33554432, 32MiB or 1GB")
    return int(digits) * unit


def content_size(value: Any) -> int:
    """Bytes of a content."""
    found = size(value)
    if found > _MOST_CONTENT:
        raise ValueError(f"it must be at most {_MOST_CONTENT // 2**20} MiB")
    return found


def limit(value: Any) -> int | None:
    """Bytes, or None for `none`."""
    return None if str(value).strip().lower() == "none" else size(value)


def memory(value: Any) -> int | None:
    """Bytes that suffice for a database, or None for `none`."""
    found = limit(value)
    if found is not None and found < _LEAST_MEMORY:
        raise ValueError(f"it must be none, or at least {_LEAST_MEMORY // 2**20} MiB")
    return found


def one_of(*words: str) -> Read:
    """A reader of one of these words."""

    def parse(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError(f"it must be {', '.join(words[:-1])} or {words[-1]}")
        return word

    return parse


def zone(value: Any) -> str:
    """The name of a time zone."""
    name = text(value)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it must be an IANA time zone such as UTC or Europe/Berlin") from None
    return name


def mapping(shape: str, *, is_lowered: bool = True) -> Read:
    """A reader of `name=value,name=value`, or of a table of a file; `shape` says in a fault how it must look."""

    def parse(value: Any) -> Mapping[str, str]:
        pairs = value.items() if isinstance(value, Mapping) else _pairs(text(value), shape)
        return MappingProxyType({text(name).lower() if is_lowered else text(name): text(to) for name, to in pairs})

    return parse


def _pairs(text: str, shape: str) -> list[tuple[str, str]]:
    pairs = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, mark, value = part.partition("=")
        if not mark or not name.strip() or not value.strip():
            raise ValueError(f"it must look like {shape},{shape}")
        # So can a value hold a comma.
        pairs.append((unquote(name.strip()), unquote(value.strip())))
    return pairs


def names(value: Any) -> tuple[str, ...]:
    """Names of packages or modules."""
    parts = value if isinstance(value, list | tuple) else text(value).split(",")
    names = tuple(text(part) for part in parts if part != "")
    for name in names:
        if not all(word.isidentifier() for word in name.split(".")):
            raise ValueError("it must be names of packages or modules, such as acme_llm,shop.llm")
    return names


def receivers(value: Any) -> tuple[str, ...]:
    """Names of receivers, each once."""
    parts = value if isinstance(value, list | tuple) else text(value).split(",")
    return tuple(dict.fromkeys(text(part) for part in parts if part != ""))


def smtp_url(value: Any) -> str:
    """The address of a mail server."""
    url = urlsplit(text(value))
    try:
        port = url.port
    except ValueError:
        raise ValueError("its port must be a number") from None
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or (port is not None and port == 0):
        raise ValueError("it must look like smtp://user:password@host:587 or smtps://host:465")
    return url.geturl()
