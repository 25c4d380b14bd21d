"""The data directory: one place that holds the spool, the ledger, the control store and the install secret."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

import msgspec

from monitor.errors import HomeError

_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600
_SECRET_BYTES = 32


class Home(msgspec.Struct, frozen=True):
    """The paths inside one data directory; creating the object touches nothing."""

    path: Path

    @property
    def spool(self) -> Path:
        """Directory of the spool segments."""
        return self.path / "spool"

    @property
    def content(self) -> Path:
        """Directory of the segments of contents; it is there only where a client keeps them."""
        return self.path / "content"

    @property
    def ledger(self) -> Path:
        """The DuckDB file."""
        return self.path / "ledger.duckdb"

    @property
    def control(self) -> Path:
        """The SQLite file."""
        return self.path / "control.sqlite"

    @property
    def own_prices(self) -> Path:
        """What people say of prices, for programs that tell their own spend; it is there only where somebody did."""
        return self.path / "prices.json"

    @property
    def lease(self) -> Path:
        """The file whose lock says who owns the ledger."""
        return self.path / "server.lock"

    @property
    def importing(self) -> Path:
        """The file whose lock says that an import runs."""
        return self.path / "import.lock"

    @property
    def server(self) -> Path:
        """Where a running server says how it is reached."""
        return self.path / "server.json"

    @property
    def secret_file(self) -> Path:
        """Holds the install secret."""
        return self.path / "secret"

    def create(self) -> None:
        """Make the directories, mode 0700, if they are not there; refuse ones that others could write to.

        Raises:
            HomeError: the place cannot be made, is not a directory, or is open to other users.
        """
        for directory in (self.path, self.spool):
            _make(directory)

    def create_content(self) -> None:
        """Make the directory of contents in the same way.

        Raises:
            HomeError: as `create`.
        """
        for directory in (self.path, self.content):
            _make(directory)

    def secret(self) -> bytes:
        """The random secret of this installation (32 bytes), made at first use; it salts key fingerprints.

        Raises:
            HomeError: the file cannot be read or written.
        """
        try:
            with contextlib.suppress(FileNotFoundError):
                return self._read_secret()
            self._write_secret()
            return self._read_secret()
        except (OSError, ValueError) as error:
            raise HomeError(f"The install secret {self.secret_file} cannot be read or made: {error}.") from error

    def _read_secret(self) -> bytes:
        secret = bytes.fromhex(self.secret_file.read_text(encoding="ascii").strip())
        if len(secret) != _SECRET_BYTES:
            raise ValueError(f"it has {len(secret)} bytes, not {_SECRET_BYTES}")
        return secret

    def _write_secret(self) -> None:
        # Written aside and linked into place: of two processes that start together both read one whole secret.
        draft = self.path / f".secret-{os.getpid()}-{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(_SECRET_BYTES))
                file.flush()
                # Else the name may outlive a power cut and the content not.
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, self.secret_file)
        finally:
            draft.unlink()


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        facts = directory.stat()
    except (OSError, ValueError) as error:
        raise HomeError(
            f"The data directory {directory} cannot be used: {error}. Set MONITOR_HOME to a directory you may write to."
        ) from error
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise HomeError(
            f"The data directory {directory} can be written by other users (mode {stat.S_IMODE(facts.st_mode):04o}). "
            f"Run: chmod 700 {directory}"
        )
    # Its owner may change what stands in it. The superuser may do so anywhere, and may use anybody's directory, as in
    # containers.
    if os.geteuid() not in (0, facts.st_uid) and facts.st_uid != 0:
        raise HomeError(
            f"The data directory {directory} belongs to another user (number {facts.st_uid}). "
            f"Set MONITOR_HOME to a directory of this user (number {os.geteuid()})."
        )


def working_directory() -> Path:
    """The directory the program runs in; the root where somebody removed it."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def migrations_directory(package: Path = Path(__file__).parent) -> Path:
    """Where the migrations of both stores lie: inside an installed wheel, or beside the package in a checkout."""
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "alembic"
