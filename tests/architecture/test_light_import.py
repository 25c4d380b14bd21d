"""What an application pays for `import monitor`."""

import json
import subprocess
import sys

from tests.architecture.sources import ROOT

_HEAVY = frozenset(
    {
        "apscheduler",
        "duckdb",
        "httpx",
        "httpx2",
        "openai",
        "pandas",
        "plotly",
        "sqlalchemy",
        "sqlmodel",
        "streamlit",
    }
)
_PROGRAM = "import json, sys, monitor; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"


def test_importing_the_wrapper_loads_nothing_heavy() -> None:
    """None of the server's packages is loaded, not even the one that is wrapped."""
    run = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)

    assert _HEAVY & set(json.loads(run.stdout)) == set()
