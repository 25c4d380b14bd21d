"""Runs a small program in a Python of its own, where nothing is loaded yet."""

import os
import subprocess
import sys

from tests.architecture.sources import ROOT


def output_of(program: str, *arguments: str, **more: str) -> str:
    """What it prints; a program that fails, or prints on the standard error, fails the test."""
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout
