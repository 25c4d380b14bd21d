"""`monitor run`: runs a command with every OpenAI client in it recorded, without a change to its code.

Light: it also works where only the wrapper is installed, and adds little to the start of the command.
"""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

from monitor import autostart
from monitor.errors import SettingsError
from monitor.settings import Settings

_NOT_FOUND: Final = 127
_NOT_RUNNABLE: Final = 126
_IGNORED_BY_PYTHON: Final = ("SIGPIPE", "SIGXFSZ")
HELP: Final = "Run a command with every OpenAI client in it recorded: monitor run -- python app.py"


def run(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become the command; its signals and its exit status are its own.

    Exits with 127 where there is no such command, and with 126 where it cannot be run.

    Args:
        words: options, and the command with its arguments.
        environ: the environment variables.
    """
    options = _parser().parse_args(words)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        _parser().error("name the command to run: monitor run -- python app.py")
    watched = watched_environ(environ, service=options.service, environment=options.environment, tags=options.tag)
    _restore_signals()
    try:
        os.execvpe(command[0], command, watched)  # noqa: S606 - to run what the user names is what this is for
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        sys.stderr.write(f"error: The command {command[0]!r} cannot be run: {error.strerror}.\n")
        sys.exit(_NOT_FOUND if is_missing else _NOT_RUNNABLE)


def watched_environ(
    environ: Mapping[str, str],
    *,
    service: str | None = None,
    environment: str | None = None,
    tags: Sequence[tuple[str, str]] = (),
) -> dict[str, str]:
    """The variables under which Python starts to record; what is given here wins over settings that are there."""
    folder = str(Path(autostart.__file__).parent)
    # An empty place would be the working directory.
    places = [place for place in environ.get("PYTHONPATH", "").split(os.pathsep) if place not in {"", folder}]
    found = {**environ, "PYTHONPATH": os.pathsep.join([folder, *places])}
    if service:
        found["MONITOR_SERVICE"] = service
    if environment:
        found["MONITOR_ENVIRONMENT"] = environment
    if tags:
        both = {**_set_tags(environ), **dict(tags)}
        found["MONITOR_TAGS"] = ",".join(f"{quote(name)}={quote(value)}" for name, value in both.items())
    return found


def _set_tags(environ: Mapping[str, str]) -> Mapping[str, str]:
    try:
        return Settings.load(environ, Path.cwd()).tags
    except SettingsError:
        # It is told when the command starts to record.
        return {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="monitor run", description=HELP, allow_abbrev=False)
    parser.add_argument("--service", help="Name of the program.")
    parser.add_argument("--environment", help="Where it runs, such as production.")
    parser.add_argument(
        "--tag", action="append", type=_tag, default=[], metavar="NAME=VALUE", help="Put on every call. Repeatable."
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="What to run.")
    return parser


def _tag(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} must look like team=search")
    return name.strip(), value.strip()


def _restore_signals() -> None:
    """What Python ignores for itself would stay ignored in the command."""
    for name in _IGNORED_BY_PYTHON:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
