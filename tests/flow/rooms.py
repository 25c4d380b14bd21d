"""File systems of a test's own: small ones, read-only ones, ones whose disk fails. Skips where none can be mounted."""

import shutil
from pathlib import Path

import pytest

from tests.flow.running import Ended, finish

AS_ANYBODY = ("unshare", "--user", "--map-root-user", "--mount")
"""What may mount a file system of memory, for itself alone."""
AS_ROOT = ("unshare", "--mount")
"""What may mount an image, for itself alone."""


def in_a_room(room: Path, script: str, *command: str, home: Path, may: tuple[str, ...] = AS_ANYBODY) -> Ended:
    """Run a command after a script of the shell that mounts; the script has the directory as `$0`."""
    entered = [*may, "sh", "-c", script, str(room)]
    if shutil.which("unshare") is None or finish([*entered, "true"], home=home).status != 0:
        pytest.skip("no file system can be mounted here")
    return finish([*entered, *command], home=home)
