"""Brings a control store to the schema of this program."""

import threading
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from monitor.errors import ControlError
from monitor.home import migrations_directory

# Alembic keeps the running migration in its module `context`, one for all threads.
_ALEMBIC: Final = threading.Lock()


def upgrade(reader: Engine, writer: Engine, path: Path) -> None:
    """Run the migrations that are missing, in one transaction; several processes may do so at once.

    Args:
        reader: begins transactions that only read.
        writer: begins transactions that hold the write lock from the start.
        path: of the store, for the message.

    Raises:
        ControlError: the store has a revision that this program does not know.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with reader.connect() as connection:
        if _is_current(connection, scripts, path):
            return
    with _ALEMBIC, writer.begin() as connection:
        if not _is_current(connection, scripts, path):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def known_revisions() -> frozenset[str]:
    """The revisions that this program knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    # Options go through ConfigParser, to which a percent sign means something.
    config.set_main_option("script_location", str(migrations_directory() / "control").replace("%", "%%"))
    return config


def _is_current(connection: Connection, scripts: ScriptDirectory, path: Path) -> bool:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise ControlError(
            f"The control store {path} has revision {found}, which this version of openai-monitor does not know. "
            "Upgrade openai-monitor, or set MONITOR_HOME to another directory."
        )
    return found == scripts.get_current_head()
