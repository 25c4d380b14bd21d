"""Settings: read once, frozen, from `MONITOR_…` variables, `monitor.toml` or `pyproject.toml`."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from monitor import setting_values as read
from monitor.errors import SettingsError

_PREFIX = "MONITOR_"
_TABLE = "openai-monitor"
_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"


def _setting(doc: str, parse: read.Read, default: Any, **more: Any) -> Any:
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

    home: Path = _setting("The data directory: spool, ledger, control store.", read.path, _default_home)
    enabled: bool = _setting("Whether wrapped clients record at all.", read.flag, default=True)
    service: str | None = _setting(
        "Name of the program that makes the calls.",
        read.text,
        None,
        also=("OTEL_SERVICE_NAME",),
        attributes=("service.name",),
    )
    environment: str | None = _setting(
        "Where the program runs, such as production.",
        read.text,
        None,
        attributes=("deployment.environment.name", "deployment.environment"),
    )
    tags: Mapping[str, str] = _setting(
        "Tags of every call: team=search,region=eu.", read.mapping("name=value", is_lowered=False), _nothing
    )
    frameworks: tuple[str, ...] = _setting(
        "Packages or modules that are passed over, besides the well-known ones, when a call site is looked for.",
        read.names,
        (),
    )
    include_usage: bool = _setting(
        "Ask for the usage of streamed chat calls that did not ask for it, and hide the answer again.",
        read.flag,
        default=True,
    )
    providers: Mapping[str, str] = _setting(
        "Names of the providers behind other hosts: host=provider,host:port=provider.",
        read.mapping("host=provider"),
        _nothing,
    )
    deployments: Mapping[str, str] = _setting(
        "Models behind names of your own, such as deployments of Azure: deployment=model.",
        read.mapping("deployment=model"),
        _nothing,
    )
    content: bool = _setting("Whether wrapped clients keep prompts and answers, redacted.", read.flag, default=False)
    content_limit: int = _setting(
        "Bytes kept of each prompt and of each answer, at most 8 MiB.", read.content_size, 64 * 2**10
    )
    content_redact: tuple[str, ...] = _setting(
        "What is taken out of contents besides keys and tokens: email, card, regular expressions.", read.patterns, ()
    )
    content_retention: float = _setting("Days that contents are kept.", read.days, 7.0)
    segment_size: int = _setting("A spool segment is ended when it has grown to this size.", read.size, 32 * 2**20)
    spool_limit: int | None = _setting(
        "Bytes of all segments together, beyond which records are refused and counted; none for no limit.",
        read.limit,
        10 * 2**30,
    )
    durability: str = _setting(
        "What a power cut may take: os (the last second of each process), group (the last 50 ms), fsync (nothing).",
        read.one_of("os", "group", "fsync"),
        "os",
    )
    host: str = _setting("Address the server listens on.", read.text, "127.0.0.1")
    port: int = _setting("Port the server listens on; 0 takes a free one.", read.port, 8501)
    allow_remote: bool = _setting(
        "Let the server listen on an address that other machines reach, though it has no login.",
        read.flag,
        default=False,
    )
    public_url: str | None = _setting(
        "Address of the dashboard as people reach it, for links in alerts.", read.text, None
    )
    time_zone: str = _setting("Time zone of the pages and of budgets that name none.", read.zone, "UTC")
    drain_interval: float = _setting("Seconds between two looks at the spool.", read.seconds, 0.5)
    spool_keep: float = _setting(
        "Seconds a segment is kept after all of it is safe in the ledger.", read.seconds, 86_400.0
    )
    ledger_memory: int | None = _setting(
        "Bytes of memory that DuckDB may use for the ledger, at least 512 MiB; none for four fifths of the machine's.",
        read.memory,
        None,
    )
    keep_requests: float | None = _setting(
        "Days that requests are kept with all their facts, or forever; their sums are kept on.", read.long_days, 400.0
    )
    keep_rollup: float | None = _setting(
        "Days that sums are kept, if requests are not kept forever; or forever.", read.long_days, None
    )
    check_interval: float = _setting(
        "Seconds between two proofs that spool, requests and sums agree.", read.seconds, 3_600.0
    )
    budget_interval: float = _setting("Seconds between two evaluations of the budgets.", read.seconds, 10.0)
    delivery_interval: float = _setting("Seconds between two looks at the outbox.", read.seconds, 2.0)
    compaction_interval: float = _setting("Seconds between two compactions of the ledger.", read.seconds, 300.0)
    price_interval: float = _setting("Seconds between two refreshes of the price list.", read.seconds, 86_400.0)
    price_download: bool = _setting(
        "Whether the price refresh may download newer genai-prices data from the internet.", read.flag, default=False
    )
    unpriced_receivers: tuple[str, ...] = _setting(
        "Receivers that hear of models without a known cost, by name: on-call,finance.", read.receivers, ()
    )
    smtp_url: str | None = _setting(
        "Mail server for email receivers: smtp://user:password@host:587, smtps://host:465.", read.smtp_url, None
    )
    smtp_from: str | None = _setting("Sender address of alert mails.", read.text, None)

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
