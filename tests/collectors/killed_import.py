"""Imports a trace as `monitor import trace` does and says how far it is, so that it can be killed there."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from collectors.formats import format_of
from collectors.imports import append
from collectors.material import Given, Material
from monitor.health import Health
from monitor.home import Home
from monitor.spool.writer import SpoolWriter


def _tell(row: int) -> None:
    sys.stdout.write(f"{row}\n")
    sys.stdout.flush()


def main(file: Path, home: Home) -> None:
    """Import the file, telling each step."""
    home.create()
    material = Material.open(file, Given(start=datetime(2026, 11, 1, tzinfo=UTC), service="burstgpt"))
    # Small segments, so that it dies behind ended ones too.
    writer = SpoolWriter(home.spool, segment_size=50_000, health=Health())
    append(material, format_of(file), writer, _tell)
    # Whoever reads this far was not killed in time.
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Home(Path(sys.argv[2])))
