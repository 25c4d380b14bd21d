"""A program that begins requests, ends one of them, and waits to be killed; a line on its input ends another."""

import sys
from pathlib import Path

from monitor.health import Health
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin, make_record

if __name__ == "__main__":
    writer = SpoolWriter(Path(sys.argv[1]), segment_size=2**25, health=Health())
    records = [make_record(duration=None) for _ in range(3)]
    for record in records:
        writer.begin(make_begin(record, team="search"))
    writer.end(records[0])
    sys.stdout.write("written\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        writer.end(records[1])
        sys.stdout.write("ended\n")
        sys.stdout.flush()
