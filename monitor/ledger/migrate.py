"""Creates the ledger file and brings its schema up to date, through Alembic."""

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from monitor.errors import LedgerError
from monitor.home import migrations_directory


def migrate(path: Path, *, to: str = "head") -> None:
    """Create or upgrade the ledger at `path` to a revision; nothing happens when it is current.

    Raises:
        LedgerError: the file cannot be opened, or a newer program made it.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations_directory() / "ledger").replace("%", "%%"))
    is_new = not path.exists()
    # The pool is off so that nothing keeps the file open: DuckDB lets one instance own it.
    engine = sqlalchemy.create_engine(f"duckdb:///{path}", poolclass=sqlalchemy.pool.NullPool)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            connection.commit()
            # A schema change that is only in the write-ahead log has been a source of replay failures.
            connection.execute(sqlalchemy.text("checkpoint"))
            connection.commit()
    except CommandError as error:
        known = ", ".join(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())
        raise LedgerError(
            f"The ledger {path} was made by a newer version of openai-monitor ({error}; this one knows {known}). "
            "Upgrade openai-monitor, or set MONITOR_HOME to another directory."
        ) from error
    except sqlalchemy.exc.DBAPIError as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()
    if is_new:
        path.chmod(0o600)
