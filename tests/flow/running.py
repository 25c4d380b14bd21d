"""Starts the program as people do, in a process of its own, and waits for what it does with a deadline."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from tests.receivers import eventually

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
_FOREIGN = ("MONITOR_", "OPENAI_", "OTEL_", "COVERAGE_")


def environment(home: Path, more: dict[str, str] | None = None) -> dict[str, str]:
    """Variables of a command: this checkout, this data directory, no setting of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    ours = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200", "MONITOR_HOME": str(home)}
    return kept | ours | (more or {})


@dataclass(frozen=True)
class Ended:
    """How a process ended; `status` is negative after a signal."""

    status: int
    out: str
    err: str


def run(
    *command: str, home: Path, cwd: Path | None = None, more: dict[str, str] | None = None, within: float = DEADLINE
) -> Ended:
    """Run Python with these arguments to its end."""
    return finish([sys.executable, *command], home=home, cwd=cwd, more=more, within=within)


def finish(
    command: Sequence[str],
    *,
    home: Path,
    cwd: Path | None = None,
    more: dict[str, str] | None = None,
    within: float = DEADLINE,
) -> Ended:
    """Run any command to its end, in the environment of a program that uses this data directory."""
    done = subprocess.run(
        command,
        env=environment(home, more),
        cwd=cwd or home.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def monitor(*arguments: str, home: Path, cwd: Path | None = None, more: dict[str, str] | None = None) -> Ended:
    """Run the command `monitor` to its end."""
    return run("-m", "monitor.cli.entry", *arguments, home=home, cwd=cwd, more=more)


def report(home: Path, *arguments: str) -> dict[str, Any]:
    """What `monitor report --json` says; it must say nothing else."""
    ended = monitor("report", "--json", *arguments, home=home)
    assert (ended.status, ended.err) == (0, "")
    answer: dict[str, Any] = json.loads(ended.out)
    return answer


class Running:
    """A process that goes on while the test looks at it; killed at the end of the block if it still runs."""

    def __init__(self, *command: str, home: Path, more: dict[str, str] | None = None) -> None:
        """Start Python with these arguments; `input` keeps its standard input open."""
        folder = home.parent
        number = sum(1 for _ in folder.glob("*.out"))
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                env=environment(home, more),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it has logged so far."""
        return self._err.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until it has printed this."""
        assert eventually(lambda: text in self.out or self.process.poll() is not None, within=DEADLINE), self.err
        assert text in self.out, self.err

    def ask(self) -> None:
        """Give it a line on its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> Ended:
        """Wait for its end."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        return Ended(self.process.wait(DEADLINE), self.out, self.err)

    def killed(self) -> Ended:
        """End it with SIGKILL."""
        self.process.kill()
        return self.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.ended()


class Server(Running):
    """`monitor up` on a free port, answering."""

    def __init__(
        self, home: Path, *, command: Sequence[str] = ("up", "--port", "0"), more: dict[str, str] | None = None
    ) -> None:
        """Start it and wait for its first answer."""
        super().__init__("-m", "monitor.cli.entry", *command, home=home, more=more)
        try:
            self.wait_for("Stop with Ctrl-C.")
            self.url = next(word for word in self.out.split() if word.startswith("http://"))
            self.health()
        except BaseException:
            self.killed()
            raise

    def get(self, path: str, *, token: str | None = None) -> httpx2.Response:
        """Ask for a page or a route."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.get(f"{self.url}{path}", headers=headers, timeout=DEADLINE, trust_env=False)

    def health(self) -> dict[str, Any]:
        """What the server says of itself."""
        state: dict[str, Any] = self.get("/api/health").json()
        return state

    def runs_of(self, job: str) -> int:
        """How often a job has run."""
        return int(self.health()["jobs"].get(job, {"runs": 0})["runs"])

    def wait_for_runs(self, job: str, more: int) -> None:
        """Wait until a job has run some times more."""
        goal = self.runs_of(job) + more
        assert eventually(lambda: self.runs_of(job) >= goal, within=DEADLINE)
