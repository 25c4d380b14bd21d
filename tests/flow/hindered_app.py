"""A program that calls while nothing can be written. Prints its answers, then the counters of its recorder as JSON.

python -m tests.flow.hindered_app HINDRANCE CALLS
"""

import json
import os
import resource
import shutil
import sys
from pathlib import Path

import httpx2
from openai import OpenAI

import monitor
from monitor.capture.wrap import HEALTH
from tests.flow.pretend import pretended_api


def _largest_file(size: int) -> None:
    """No file may grow beyond this, as on a disk that is full; -1 is no limit."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1))


def _hinder(hindrance: str, number: int, calls: int) -> None:
    """Do what befalls the program before its call of that number."""
    spool = Path(os.environ["MONITOR_HOME"]) / "spool"
    if hindrance == "spool removed" and number == 0:
        spool.rmdir()
    elif hindrance == "spool replaced" and number == 0:
        spool.rmdir()
        spool.write_text("something else")
    elif hindrance == "disk full" and number == calls // 3:
        _largest_file(0)
    elif hindrance == "disk almost full" and number == 0:
        _largest_file(2_000)
    elif hindrance == "disk full for a while" and number in (calls // 3, 2 * calls // 3):
        _largest_file(0 if number == calls // 3 else -1)
    elif hindrance == "directory removed" and number == 0:
        shutil.rmtree(spool.parent)


if __name__ == "__main__":
    api = httpx2.Client(transport=pretended_api(lambda name: None))
    client = monitor.wrap(OpenAI(api_key="sk-none", max_retries=0, http_client=api))
    calls = int(sys.argv[2])
    for number in range(calls):
        _hinder(sys.argv[1], number, calls)
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Is it?"}])
        sys.stdout.write(f"{answer.choices[0].message.content}\n")
    sys.stdout.write(json.dumps(HEALTH.counts()) + "\n")
