"""Forks children to be killed: what takes long to load is loaded once."""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True)
class Killed:
    """What a child had told when it died; `status` is minus the number of the signal, or its own exit status."""

    told: list[str]
    status: int


def kill_one(work: Callable[[int], None], *, waits_for: str, patience: float, delay: float) -> Killed:
    """Let a child work and kill it.

    Args:
        work: what the child does; it gets a file descriptor to tell on, line by line.
        waits_for: a line that starts so begins the count-down; if it is empty, the start of the child does.
        patience: seconds after which the count-down begins in any case.
        delay: seconds of the count-down.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        leave_after(lambda: work(writing))
    os.close(writing)
    told = b""
    begin = time.monotonic()
    deadline = begin + (patience if waits_for else delay)
    is_counting = not waits_for
    mark = waits_for.encode()
    while (left := deadline - time.monotonic()) > 0 or not is_counting:
        if left <= 0:
            is_counting, deadline = True, time.monotonic() + delay
        elif select.select([reading], [], [], left)[0]:
            piece = os.read(reading, 65_536)
            if not piece:
                break
            told += piece
        if not is_counting and mark in told:
            is_counting, deadline = True, time.monotonic() + delay
    os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    while piece := os.read(reading, 65_536):
        told += piece
    os.close(reading)
    return Killed(told.decode().splitlines(), status)


def leave_after(work: Callable[[], object]) -> NoReturn:
    """Do the work and end this process at once: what the parent would do at its end is not the child's to do."""
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever it is, it must not run on in the parent's code
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
