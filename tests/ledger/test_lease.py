"""One process owns a data directory."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.errors import LeaseError
from monitor.ledger.lease import Lease
from tests.architecture.sources import ROOT

_HOLDER = """
import sys
from pathlib import Path
from monitor.ledger.lease import Lease
with Lease(Path(sys.argv[1])):
    print("taken", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _held_elsewhere(path: Path) -> Iterator[int]:
    """Another process has it, whose number this is; killed at the end of the block."""
    command = [sys.executable, "-c", _HOLDER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        yield holder.pid
        holder.kill()


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    """The sentence names the process, and says what to do."""
    path = tmp_path / "server.lock"
    with (
        _held_elsewhere(path) as holder,
        pytest.raises(LeaseError, match=rf"\(process {holder}\)\. Stop it first, or set MONITOR_HOME"),
    ):
        Lease(path)


def test_the_lease_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The file it left behind holds nobody up."""
    path = tmp_path / "server.lock"
    with _held_elsewhere(path):
        assert path.exists()
    with Lease(path):
        assert path.read_text() == str(os.getpid())


def test_one_process_cannot_take_it_twice(tmp_path: Path) -> None:
    """Two parts of a program are two holders."""
    with Lease(tmp_path / "server.lock"), pytest.raises(LeaseError, match=re.escape(str(tmp_path))):
        Lease(tmp_path / "server.lock")


def test_a_lease_can_be_given_back(tmp_path: Path) -> None:
    """Twice, too."""
    lease = Lease(tmp_path / "server.lock")
    lease.release()
    lease.release()
    with Lease(tmp_path / "server.lock"):
        pass


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    """As everything in the data directory."""
    with Lease(tmp_path / "server.lock"):
        assert (tmp_path / "server.lock").stat().st_mode & 0o777 == 0o600
