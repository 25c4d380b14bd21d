"""Web servers fork workers from a program that has loaded a wrapped client: each request is stored once.

Workers are threads or not, come and go by themselves, and are killed.
"""

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx2
import pytest

from tests.flow.oracle import Told, drained, survives
from tests.flow.running import DEADLINE, Running
from tests.flow.segments import writers
from tests.receivers import eventually

_REQUESTS = 24
_AT_ONCE = 4
_BYTES_TOLD = 4_000
_WAYS = {
    "sync": ("--workers", "2"),
    "sync, preloaded": ("--workers", "2", "--preload"),
    "threads": ("--workers", "2", "--threads", "4"),
    "threads, preloaded, recycled": ("--workers", "2", "--threads", "4", "--preload", "--max-requests", "3"),
}


class _Web:
    """A running gunicorn."""

    def __init__(self, home: Path, options: tuple[str, ...]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        bind = f"127.0.0.1:{self._port}"
        self.process = Running(
            *("-m", "gunicorn", "--bind", bind, "--graceful-timeout", "20", "--no-control-socket"),
            *("--worker-tmp-dir", str(home.parent), *options, "tests.flow.web_app:application"),
            home=home,
        )

    def get(self, path: str) -> tuple[int, str]:
        """The worker that answered, and the id of its call."""
        with httpx2.Client(trust_env=False, timeout=DEADLINE) as client:
            worker, name = client.get(f"http://127.0.0.1:{self._port}{path}").text.split()
        return int(worker), name

    def busy_worker(self) -> int:
        """The process of a worker that is in the middle of its calls."""
        with (
            httpx2.Client(trust_env=False, timeout=DEADLINE) as client,
            client.stream("GET", f"http://127.0.0.1:{self._port}/busy") as answer,
        ):
            return int(next(answer.iter_lines()))

    def is_up(self) -> bool:
        """Whether it answers."""
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self._port)) == 0


@contextmanager
def _web(home: Path, options: tuple[str, ...]) -> Iterator[_Web]:
    web = _Web(home, options)
    with web.process:
        assert eventually(web.is_up, within=DEADLINE), web.process.err
        yield web
        web.process.send(signal.SIGTERM)
        assert web.process.ended().status == 0, web.process.err


def _stored(home: Path, told: Told, killed: int) -> None:
    found = list(writers(home))
    kept = drained(home)
    print(  # noqa: T201 - the outcome of a campaign, shown by `pytest -s`
        f"{killed} workers killed: {told.begun} calls begun, {told.returned.total()} returned, {kept.rows} requests"
        f" stored, {dict(kept.outcomes)}, {len(found)} segments"
    )

    survives(told, kept)
    assert kept.quarantined <= killed
    assert kept.dropped == 0
    # One segment for each process that called, and nobody writes into that of another.
    assert set(Counter(pid for pid, _ in found).values()) == {1}
    assert [pid for pid, others in found if others - {pid}] == []


def _kill_one(web: _Web, dice: Random) -> None:
    """Kill a worker in the middle of its calls; the server forks another."""
    worker = web.busy_worker()
    goal = len(web.process.out) + dice.randrange(_BYTES_TOLD)
    assert eventually(lambda: len(web.process.out) >= goal, within=DEADLINE)
    os.kill(worker, signal.SIGKILL)


def _campaign(home: Path, way: str, kills: int) -> None:
    dice = Random()
    with _web(home, _WAYS[way]) as web, ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(web.get, ["/", "/stream"] * (_REQUESTS // 2)))
        for _ in range(kills):
            _kill_one(web, dice)
        answers.append(web.get("/"))
    told = Told.of(web.process.out.splitlines())
    loaded = sum(line.startswith("loaded") for line in web.process.out.splitlines())

    assert {name for _, name in answers} <= told.returned.keys()
    assert (loaded == 1) == ("--preload" in _WAYS[way])
    if "--max-requests" in _WAYS[way]:
        assert len({worker for worker, _ in answers}) >= _REQUESTS // 6
    _stored(home, told, kills)


def test_every_call_of_a_web_servers_workers_is_stored_once(tmp_path: Path) -> None:
    """Forked with a client that was used before, they call from threads, go when they did enough, and are killed."""
    _campaign(tmp_path / "home", "threads, preloaded, recycled", 2)


@pytest.mark.torture
@pytest.mark.parametrize("way", _WAYS)
def test_every_call_of_a_web_servers_workers_is_stored_once_in_a_long_campaign(
    way: str, tmp_path: Path, kills: int
) -> None:
    """The same, over many deaths, in each way in which workers come to be."""
    _campaign(tmp_path / "home", way, kills)
