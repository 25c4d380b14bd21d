"""Who wrote what stands on a spool."""

import json
from collections.abc import Iterator
from pathlib import Path


def writers(home: Path) -> Iterator[tuple[int, set[int]]]:
    """Of each segment the process it is of, and the processes whose records are in it."""
    for path in (home / "spool").glob("*.ndjson"):
        header, *lines = (json.loads(line) for line in path.read_bytes().splitlines())
        yield header["pid"], {line["process_id"] for line in lines if line["kind"] == "end"}
