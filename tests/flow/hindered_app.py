"""A program that calls while nothing can be written. Prints its answers, then the counters of its recorder as JSON.

python -m tests.flow.hindered_app HINDRANCE CALLS
"""

import itertools
import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
from openai import OpenAI

import monitor
from monitor.capture.wrap import HEALTH
from tests.flow.pretend import pretended_api

_HOME = Path(os.environ["MONITOR_HOME"])
_SPOOL = _HOME / "spool"
_MOST = 100_000


def _no_room() -> None:
    """No file may grow, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))


def _hardly_any_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, -1))


def _room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))


def _replace_spool() -> None:
    shutil.rmtree(_SPOOL)
    _SPOOL.write_text("something else")


def _lock_home() -> None:
    _HOME.mkdir(mode=0o500)


def _damage_secret() -> None:
    _HOME.mkdir(mode=0o700)
    (_HOME / "secret").write_text("no secret")


def _lose_folder() -> None:
    folder = _HOME.parent / "folder"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()


def _nothing() -> None:
    pass


_AT_THE_START: dict[str, Callable[[], object]] = {
    "no permission": _lock_home,
    "file in the way": lambda: _HOME.write_text("something else"),
    "disk full at the start": _no_room,
    "secret damaged": _damage_secret,
    "working directory removed": _lose_folder,
}
_AT_THE_FIRST_CALL: dict[str, Callable[[], object]] = {
    "spool removed": _SPOOL.rmdir,
    "spool replaced": _replace_spool,
    "disk almost full": _hardly_any_room,
    "directory removed": lambda: shutil.rmtree(_HOME),
    "permission lost": lambda: _SPOOL.chmod(0o500),
}
_AFTER_A_THIRD: dict[str, Callable[[], object]] = {"disk full": _no_room, "disk full for a while": _no_room}
_AFTER_TWO_THIRDS: dict[str, Callable[[], object]] = {"disk full for a while": _room}


def _dropped() -> int:
    return HEALTH.counts().get("calls_dropped_total", 0)


if __name__ == "__main__":
    hindrance, calls = sys.argv[1], int(sys.argv[2])
    _AT_THE_START.get(hindrance, _nothing)()
    api = httpx2.Client(transport=pretended_api(lambda name: None))
    client = monitor.wrap(OpenAI(api_key="sk-none", max_retries=0, http_client=api))
    acts = {0: _AT_THE_FIRST_CALL, calls // 3: _AFTER_A_THIRD, 2 * calls // 3: _AFTER_TWO_THIRDS}
    for number in itertools.takewhile(lambda number: number < _MOST, itertools.count()):
        acts.get(number, {}).get(hindrance, _nothing)()
        before = _dropped()
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Is it?"}])
        sys.stdout.write(f"{answer.choices[0].message.content}\n")
        # Where there is room again, until that has been noticed.
        if number >= calls - 1 and (hindrance not in _AFTER_TWO_THIRDS or _dropped() == before):
            break
    sys.stdout.write(json.dumps(HEALTH.counts()) + "\n")
