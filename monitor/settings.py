"""Settings: read once, frozen, from `MONITOR_…` variables, `monitor.toml` or `pyproject.toml`."""

import importlib
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from monitor.errors import SettingsError

_PREFIX = "MONITOR_"
_TABLE = "openai-monitor"
_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_SIZE_UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_MAX_PORT = 65_535
_MOST_CONTENT = 8 * 2**20
_MOST_DAYS = 36_500
_MOST_SECONDS = _MOST_DAYS * 86_400
_LEAST_DAYS = 32

_Parse = Callable[[Any], Any]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("it must be text")  # noqa: TRY004 - one kind of error for all that cannot be used
    text = str(value).strip()
    if not text:
        raise ValueError("it must not be empty")
    return text


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser().absolute()


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("it must be true or false")


def _port(value: Any) -> int:
    text = str(value).strip()
    # Not int() alone, which would take 80.5 and true from a file.
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_PORT:
        raise ValueError(f"it must be a whole number from 0 to {_MAX_PORT}")
    return int(text)


def _seconds(value: Any) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        raise ValueError("it must be a number of seconds") from None
    if not 0 < seconds <= _MOST_SECONDS:
        raise ValueError(f"it must be a number of seconds above 0, at most {_MOST_SECONDS}")
    return seconds


def _days(value: Any) -> float:
    try:
        days = float(str(value))
    except ValueError:
        raise ValueError("it must be a number of days") from None
    if not 0 < days <= _MOST_DAYS:
        raise ValueError(f"it must be a number of days above 0, at most {_MOST_DAYS}")
    return days


def _long_days(value: Any) -> float | None:
    if str(value).strip().lower() == "forever":
        return None
    days = _days(value)
    if days < _LEAST_DAYS:
        raise ValueError(f"it must be forever, or at least {_LEAST_DAYS} days: usage may come so late")
    return days


def _patterns(value: Any) -> tuple[str, ...]:
    patterns = tuple(map(_text, value if isinstance(value, list | tuple) else _text(value).split()))
    for pattern in patterns:
        try:
            matches_nothing = re.search(pattern, "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{pattern!r} is no regular expression ({error})") from None
        if matches_nothing:
            raise ValueError(f"{pattern!r} also matches where there is nothing")
    return patterns


def _size(value: Any) -> int:
    text = str(value).strip().lower().replace(" ", "").replace("_", "")
    digits = text.rstrip("bkmgi")
    unit = _SIZE_UNITS.get(text[len(digits) :])
    if not (digits.isascii() and digits.isdecimal()) or unit is None or int(digits) == 0:
        raise ValueError("it must be a size such as 33554432, 32MiB or 1GB")
    return int(digits) * unit


def _content_size(value: Any) -> int:
    size = _size(value)
    if size > _MOST_CONTENT:
        raise ValueError(f"it must be at most {_MOST_CONTENT // 2**20} MiB")
    return size


def _limit(value: Any) -> int | None:
    return None if str(value).strip().lower() == "none" else _size(value)


def _one_of(*words: str) -> _Parse:
    def parse(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError(f"it must be {', '.join(words[:-1])} or {words[-1]}")
        return word

    return parse


def _zone(value: Any) -> str:
    name = _text(value)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it must be an IANA time zone such as UTC or Europe/Berlin") from None
    return name


def _mapping(shape: str, *, is_lowered: bool = True) -> _Parse:
    """Reads `name=value,name=value`, or a table of a file; `shape` says in a fault how it must look."""

    def parse(value: Any) -> Mapping[str, str]:
        pairs = value.items() if isinstance(value, Mapping) else _pairs(_text(value), shape)
        return MappingProxyType({_text(name).lower() if is_lowered else _text(name): _text(to) for name, to in pairs})

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


def _names(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else _text(value).split(",")
    names = tuple(_text(part) for part in parts if part != "")
    for name in names:
        if not all(word.isidentifier() for word in name.split(".")):
            raise ValueError("it must be names of packages or modules, such as acme_llm,shop.llm")
    return names


def _receivers(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else _text(value).split(",")
    return tuple(dict.fromkeys(_text(part) for part in parts if part != ""))


def _smtp_url(value: Any) -> str:
    url = urlsplit(_text(value))
    try:
        port = url.port
    except ValueError:
        raise ValueError("its port must be a number") from None
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or (port is not None and port == 0):
        raise ValueError("it must look like smtp://user:password@host:587 or smtps://host:465")
    return url.geturl()


def _setting(doc: str, parse: _Parse, default: Any, **more: Any) -> Any:
    metadata = {"doc": doc, "parse": parse, **more}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def _default_home() -> Path:
    # Loaded here: where the place is told, nobody needs it, and every program would wait for it at its start.
    found: str = importlib.import_module("platformdirs").user_data_dir("openai-monitor", appauthor=False)
    return Path(found)


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; build it with `Settings.load`."""

    home: Path = _setting("The data directory: spool, ledger, control store.", _path, _default_home)
    enabled: bool = _setting("Whether wrapped clients record at all.", _flag, default=True)
    service: str | None = _setting(
        "Name of the program that makes the calls.",
        _text,
        None,
        also=("OTEL_SERVICE_NAME",),
        attributes=("service.name",),
    )
    environment: str | None = _setting(
        "Where the program runs, such as production.",
        _text,
        None,
        attributes=("deployment.environment.name", "deployment.environment"),
    )
    tags: Mapping[str, str] = _setting(
        "Tags of every call: team=search,region=eu.", _mapping("name=value", is_lowered=False), _nothing
    )
    frameworks: tuple[str, ...] = _setting(
        "Packages or modules that are passed over, besides the well-known ones, when a call site is looked for.",
        _names,
        (),
    )
    include_usage: bool = _setting(
        "Ask for the usage of streamed chat calls that did not ask for it, and hide the answer again.",
        _flag,
        default=True,
    )
    providers: Mapping[str, str] = _setting(
        "Names of the providers behind other hosts: host=provider,host:port=provider.",
        _mapping("host=provider"),
        _nothing,
    )
    deployments: Mapping[str, str] = _setting(
        "Models behind names of your own, such as deployments of Azure: deployment=model.",
        _mapping("deployment=model"),
        _nothing,
    )
    content: bool = _setting("Whether wrapped clients keep prompts and answers, redacted.", _flag, default=False)
    content_limit: int = _setting(
        "Bytes kept of each prompt and of each answer, at most 8 MiB.", _content_size, 64 * 2**10
    )
    content_redact: tuple[str, ...] = _setting(
        "What is taken out of contents besides keys and tokens: email, card, regular expressions.", _patterns, ()
    )
    content_retention: float = _setting("Days that contents are kept.", _days, 7.0)
    segment_size: int = _setting("A spool segment is ended when it has grown to this size.", _size, 32 * 2**20)
    spool_limit: int | None = _setting(
        "Bytes of all segments together, beyond which records are refused and counted; none for no limit.",
        _limit,
        10 * 2**30,
    )
    durability: str = _setting(
        "What a power cut may take: os (the last second of each process), group (the last 50 ms), fsync (nothing).",
        _one_of("os", "group", "fsync"),
        "os",
    )
    host: str = _setting("Address the server listens on.", _text, "127.0.0.1")
    port: int = _setting("Port the server listens on; 0 takes a free one.", _port, 8501)
    allow_remote: bool = _setting(
        "Let the server listen on an address that other machines reach, though it has no login.", _flag, default=False
    )
    public_url: str | None = _setting("Address of the dashboard as people reach it, for links in alerts.", _text, None)
    time_zone: str = _setting("Time zone of the pages and of budgets that name none.", _zone, "UTC")
    drain_interval: float = _setting("Seconds between two looks at the spool.", _seconds, 0.5)
    spool_keep: float = _setting("Seconds a segment is kept after all of it is safe in the ledger.", _seconds, 86_400.0)
    keep_requests: float | None = _setting(
        "Days that requests are kept with all their facts, or forever; their sums are kept on.", _long_days, 400.0
    )
    keep_rollup: float | None = _setting(
        "Days that sums are kept, if requests are not kept forever; or forever.", _long_days, None
    )
    check_interval: float = _setting(
        "Seconds between two proofs that spool, requests and sums agree.", _seconds, 3_600.0
    )
    budget_interval: float = _setting("Seconds between two evaluations of the budgets.", _seconds, 10.0)
    delivery_interval: float = _setting("Seconds between two looks at the outbox.", _seconds, 2.0)
    compaction_interval: float = _setting("Seconds between two compactions of the ledger.", _seconds, 300.0)
    price_interval: float = _setting("Seconds between two refreshes of the price list.", _seconds, 86_400.0)
    price_download: bool = _setting(
        "Whether the price refresh may download newer genai-prices data from the internet.", _flag, default=False
    )
    unpriced_receivers: tuple[str, ...] = _setting(
        "Receivers that hear of models without a known cost, by name: on-call,finance.", _receivers, ()
    )
    smtp_url: str | None = _setting(
        "Mail server for email receivers: smtp://user:password@host:587, smtps://host:465.", _smtp_url, None
    )
    smtp_from: str | None = _setting("Sender address of alert mails.", _text, None)

    @classmethod
    def load(cls, environ: Mapping[str, str], directory: Path, **given: Any) -> "Settings":
        """Read all settings: `given` wins over variables, they over the nearest file, that over the defaults.

        Args:
            environ: the environment variables.
            directory: where the search for `monitor.toml` or `pyproject.toml` begins; it goes up to the root.
            given: values by name, already of the right type; None means not given.

        Raises:
            SettingsError: names every value that cannot be used, and every unknown name in a file, at once.
        """
        faults: list[str] = []
        raw = _from_file(directory, faults)
        raw |= _from_environ(environ)
        values: dict[str, Any] = {}
        known = {item.name: item for item in fields(cls)}
        for name, (value, origin) in raw.items():
            if name not in known:
                faults.append(f"{origin} is not a setting; the settings are listed in docs/settings.md.")
                continue
            try:
                values[name] = known[name].metadata["parse"](value)
            except (ValueError, TypeError) as error:
                shown = "…" if name == "smtp_url" else repr(value)
                faults.append(f"{origin} is {shown}, but {error}.")
        if faults:
            raise SettingsError("\n".join(faults))
        values |= {name: value for name, value in given.items() if value is not None}
        return cls(**values)

    def with_public_url(self, url: str) -> "Settings":
        """The same settings, reached at this address."""
        return replace(self, public_url=url)


def _from_environ(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    described = _resource_attributes(environ.get(_ATTRIBUTES, ""))
    for item in fields(Settings):
        for name in item.metadata.get("attributes", ()):
            if name in described:
                found.setdefault(item.name, (described[name], f"{name} in {_ATTRIBUTES}"))
        for name in item.metadata.get("also", ()):
            if environ.get(name):
                found[item.name] = (environ[name], name)
    for item in fields(Settings):
        name = f"{_PREFIX}{item.name.upper()}"
        value = environ.get(name, "")
        # Kubernetes gives every pod such a variable for a service that is called "monitor".
        if value and not value.startswith("tcp://"):
            found[item.name] = (value, name)
    return found


def _resource_attributes(text: str) -> dict[str, str]:
    """What OpenTelemetry is told: `name=value,name=value`, percent-encoded. A fault in it is not ours to tell."""
    found = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if shown := unquote(value.strip()).strip():
            found[unquote(name.strip())] = shown
    return found


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like settings of ours and are none: perhaps misspelt, perhaps somebody else's."""
    known = {f"{_PREFIX}{item.name.upper()}" for item in fields(Settings)}
    return sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)


def _from_file(directory: Path, faults: list[str]) -> dict[str, tuple[Any, str]]:
    for folder in (directory, *directory.parents):
        for name in ("monitor.toml", "pyproject.toml"):
            path = folder / name
            table = _read_table(path, faults)
            if table is not None:
                return {key.replace("-", "_"): (value, f"{key} in {path}") for key, value in table.items()}
    return {}


def _read_table(path: Path, faults: list[str]) -> dict[str, Any] | None:
    try:
        text = path.read_text(encoding="utf-8")
        # Loaded here: most programs have no such file, and all would wait for the reader at their start.
        content = importlib.import_module("tomllib").loads(text)
    except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError):
        return None
    except ValueError as error:
        # What is no TOML, or no UTF-8.
        if path.name == "monitor.toml":
            faults.append(f"{path} is not valid TOML: {error}.")
        return None
    if path.name == "pyproject.toml":
        tools = content.get("tool")
        table = tools.get(_TABLE) if isinstance(tools, dict) else None
        return table if isinstance(table, dict) else None
    return dict(content)
