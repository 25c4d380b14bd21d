"""The server that the browser looks at: `python -m tests.browser.serve DIRECTORY` prints its address and serves."""

import sys
from pathlib import Path

from monitor.serve import serve
from monitor.settings import Settings

if __name__ == "__main__":
    serve(
        Settings(home=Path(sys.argv[1]), port=0, drain_interval=0.1),
        ready=lambda _, url: print(url, flush=True),  # noqa: T201 (the parent reads it)
    )
