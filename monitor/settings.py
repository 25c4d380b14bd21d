"""Settings: read once, frozen, from `MONITOR_…` variables, `monitor.toml` or `pyproject.toml`."""

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

from monitor import setting_values as read
from monitor.errors import SettingsError

_PREFIX = "MONITOR_"
_TABLE = "openai-monitor"
_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"


class Setting(msgspec.Struct, frozen=True):
    """What is to be known of a setting besides its type and default.

    Attributes:
        doc: what it is, in a sentence.
        parse: makes its value of what a file or a variable says.
        also: other variables that tell it.
        attributes: attributes of OpenTelemetry's resource that tell it.
    """

    doc: str
    parse: read.Read
    also: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


def _default_home() -> Path:
    # Loaded here: where the place is told, nobody needs it, and every program would wait for it at its start.
    found: str = importlib.import_module("platformdirs").user_data_dir("openai-monitor", appauthor=False)
    return Path(found)


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set; build it with `Settings.load`."""

    home: Annotated[Path, Setting("The data directory: spool, ledger, control store.", read.path)] = msgspec.field(
        default_factory=_default_home
    )
    enabled: Annotated[bool, Setting("Whether wrapped clients record at all.", read.flag)] = True
    service: Annotated[
        str | None,
        Setting(
            "Name of the program that makes the calls.",
            read.text,
            also=("OTEL_SERVICE_NAME",),
            attributes=("service.name",),
        ),
    ] = None
    environment: Annotated[
        str | None,
        Setting(
            "Where the program runs, such as production.",
            read.text,
            attributes=("deployment.environment.name", "deployment.environment"),
        ),
    ] = None
    tags: Annotated[
        Mapping[str, str],
        Setting("Tags of every call: team=search,region=eu.", read.mapping("name=value", is_lowered=False)),
    ] = msgspec.field(default_factory=_nothing)
    frameworks: Annotated[
        tuple[str, ...],
        Setting(
            "Packages or modules that are passed over, besides the well-known ones, when a call site is looked for.",
            read.names,
        ),
    ] = ()
    include_usage: Annotated[
        bool,
        Setting(
            "Ask for the usage of streamed chat calls that did not ask for it, and hide the answer again.", read.flag
        ),
    ] = True
    providers: Annotated[
        Mapping[str, str],
        Setting(
            "Names of the providers behind other hosts: host=provider,host:port=provider.",
            read.mapping("host=provider"),
        ),
    ] = msgspec.field(default_factory=_nothing)
    deployments: Annotated[
        Mapping[str, str],
        Setting(
            "Models behind names of your own, such as deployments of Azure: deployment=model.",
            read.mapping("deployment=model"),
        ),
    ] = msgspec.field(default_factory=_nothing)
    content: Annotated[bool, Setting("Whether wrapped clients keep prompts and answers, redacted.", read.flag)] = False
    content_limit: Annotated[
        int, Setting("Bytes kept of each prompt and of each answer, at most 8 MiB.", read.content_size)
    ] = 64 * 2**10
    content_redact: Annotated[
        tuple[str, ...],
        Setting(
            "What is taken out of contents besides keys and tokens: email, card, regular expressions.", read.patterns
        ),
    ] = ()
    content_retention: Annotated[float, Setting("Days that contents are kept.", read.days)] = 7.0
    segment_size: Annotated[int, Setting("A spool segment is ended when it has grown to this size.", read.size)] = (
        32 * 2**20
    )
    spool_limit: Annotated[
        int | None,
        Setting(
            "Bytes of all segments together, beyond which records are refused and counted; none for no limit.",
            read.limit,
        ),
    ] = 10 * 2**30
    durability: Annotated[
        str,
        Setting(
            "What a power cut may take: os (the last second of each process), group (the last 50 ms), fsync (nothing).",
            read.one_of("os", "group", "fsync"),
        ),
    ] = "os"
    host: Annotated[str, Setting("Address the server listens on.", read.text)] = "127.0.0.1"
    port: Annotated[int, Setting("Port the server listens on; 0 takes a free one.", read.port)] = 8501
    allow_remote: Annotated[
        bool,
        Setting("Let the server listen on an address that other machines reach, though it has no login.", read.flag),
    ] = False
    public_url: Annotated[
        str | None, Setting("Address of the dashboard as people reach it, for links in alerts.", read.text)
    ] = None
    time_zone: Annotated[str, Setting("Time zone of the pages and of budgets that name none.", read.zone)] = "UTC"
    drain_interval: Annotated[
        float, Setting("Seconds from the beginning of one look at the spool to that of the next.", read.seconds)
    ] = 0.5
    spool_keep: Annotated[
        float, Setting("Seconds a segment is kept after all of it is safe in the ledger.", read.seconds)
    ] = 86_400.0
    ledger_memory: Annotated[
        int | None,
        Setting(
            "Bytes of memory that DuckDB may use for the ledger, at least 512 MiB; none for four fifths of the "
            "machine's.",
            read.memory,
        ),
    ] = None
    keep_requests: Annotated[
        float | None,
        Setting(
            "Days that requests are kept with all their facts, or forever; their sums are kept on.", read.long_days
        ),
    ] = 400.0
    keep_rollup: Annotated[
        float | None, Setting("Days that sums are kept, if requests are not kept forever; or forever.", read.long_days)
    ] = None
    check_interval: Annotated[
        float, Setting("Seconds between two proofs that spool, requests and sums agree.", read.seconds)
    ] = 3_600.0
    budget_interval: Annotated[float, Setting("Seconds between two evaluations of the budgets.", read.seconds)] = 10.0
    delivery_interval: Annotated[float, Setting("Seconds between two looks at the outbox.", read.seconds)] = 2.0
    compaction_interval: Annotated[float, Setting("Seconds between two compactions of the ledger.", read.seconds)] = (
        300.0
    )
    price_interval: Annotated[float, Setting("Seconds between two refreshes of the price list.", read.seconds)] = (
        86_400.0
    )
    price_download: Annotated[
        bool, Setting("Whether the price refresh may download newer genai-prices data from the internet.", read.flag)
    ] = False
    unpriced_receivers: Annotated[
        tuple[str, ...],
        Setting("Receivers that hear of models without a known cost, by name: on-call,finance.", read.receivers),
    ] = ()
    smtp_url: Annotated[
        str | None,
        Setting("Mail server for email receivers: smtp://user:password@host:587, smtps://host:465.", read.smtp_url),
    ] = None
    smtp_from: Annotated[str | None, Setting("Sender address of alert mails.", read.text)] = None

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
        known = described()
        for name, (value, origin) in raw.items():
            if name not in known:
                faults.append(f"{origin} is not a setting; the settings are listed in docs/settings.md.")
                continue
            try:
                values[name] = known[name].parse(value)
            except (ValueError, TypeError) as error:
                shown = "…" if name == "smtp_url" else repr(value)
                faults.append(f"{origin} is {shown}, but {error}.")
        if faults:
            raise SettingsError("\n".join(faults))
        values |= {name: value for name, value in given.items() if value is not None}
        return cls(**values)

    def with_public_url(self, url: str) -> "Settings":
        """The same settings, reached at this address."""
        return msgspec.structs.replace(self, public_url=url)


@functools.cache
def described() -> Mapping[str, Setting]:
    """All settings by name, in their order."""
    return {name: hint.__metadata__[0] for name, hint in Settings.__annotations__.items()}


def _from_environ(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    told = _resource_attributes(environ.get(_ATTRIBUTES, ""))
    for setting, facts in described().items():
        for name in facts.attributes:
            if name in told:
                found.setdefault(setting, (told[name], f"{name} in {_ATTRIBUTES}"))
        for name in facts.also:
            if environ.get(name):
                found[setting] = (environ[name], name)
    for setting in described():
        name = f"{_PREFIX}{setting.upper()}"
        value = environ.get(name, "")
        # Kubernetes gives every pod such a variable for a service that is called "monitor".
        if value and not value.startswith("tcp://"):
            found[setting] = (value, name)
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
    known = {f"{_PREFIX}{name.upper()}" for name in described()}
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
