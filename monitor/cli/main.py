"""Where the command `monitor` begins: `monitor run` at once, all others with what the server needs."""

import os
import sys

from monitor.cli.late import late
from monitor.cli.run import run


def main() -> None:
    """Run the command."""
    if sys.argv[1:2] == ["run"]:
        run(sys.argv[2:], os.environ)
    try:
        entry = late("monitor.cli.entry")
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"error: {error.name} is not installed; only monitor run works without it. "
            'Run: pip install "openai-monitor[server]"\n'
        )
        sys.exit(2)
    entry.main()


if __name__ == "__main__":
    main()
