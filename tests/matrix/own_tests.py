"""Runs the tests that the SDK itself brings along, with every client watched or not."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.matrix.matrix import ROOT, python_of

_PLUGIN: Final = ROOT / "tests" / "matrix" / "plugin"
_LEFT_OUT: Final = (
    "tests/api_resources",  # asks a server of their own for every method
    "tests/lib/test_fine_tuning_positional_arguments.py",  # as above
    "tests/lib/live",  # waits for deadlines of its own, on sockets
    "tests/test_mtls_http_client.py",  # starts examples, with deadlines of its own
    "tests/test_uv_workflows.py",  # about how the SDK is released
)
_HOURS: Final = 3_600.0


@dataclass(frozen=True)
class Ended:
    """How each test ended, what the failed ones said, and in which of them our code met a fault."""

    outcomes: Mapping[str, str]
    told: Mapping[str, str]
    faulty: Sequence[str]


def fetched(environment: str, lock: Path, folder: Path) -> Path:
    """The source of the SDK that is installed in an environment, as its lock knows it."""
    wanted = folder / "openai.txt"
    wanted.write_text(_entry(lock, "openai"))
    found = folder / "fetched"
    command = ["-m", "pip", "--disable-pip-version-check", "-qq", "download", "--no-deps", "--no-build-isolation"]
    more = ["--no-binary=openai", "--require-hashes", f"--requirement={wanted}", f"--dest={found}"]
    subprocess.run([python_of(environment), *command, *more], check=True, timeout=300)
    (archive,) = found.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def _entry(lock: Path, name: str) -> str:
    """The lines of one package in a lock."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def run_tests(environment: str, source: Path, folder: Path, *, is_watched: bool, only: Iterable[str] = ()) -> Ended:
    """Run all tests that need nobody else, or only some."""
    folder.mkdir()
    variables = {
        "MONITOR_SUITE_FOLDER": str(folder),
        "MONITOR_SUITE_WATCHES": str(int(is_watched)),
        "PYTHONPATH": f"{_PLUGIN}{os.pathsep}{ROOT}",
    }
    given = list(only) or ["tests", *(f"--ignore={path}" for path in _LEFT_OUT)]
    options = ["-p", "watch_all", "-p", "no:cacheprovider", "-o", "addopts=", "-q", "-n", "2"]
    with (folder / "log").open("w") as log:
        subprocess.run(
            [python_of(environment), "-m", "pytest", *options, *given],
            env={name: value for name, value in os.environ.items() if not name.startswith("COV")} | variables,
            cwd=source,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_HOURS,
        )
    facts = json.loads((folder / "ended.json").read_text())
    faulty = [name for path in folder.glob("faulty-*.json") for name in json.loads(path.read_text())]
    return Ended(facts["ended"], facts["told"], faulty)
