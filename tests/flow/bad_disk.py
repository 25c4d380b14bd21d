"""A drain whose disk takes no more, or fails, and is well again later. Prints as JSON what happened.

python -m tests.flow.bad_disk TROUBLE ROOM

ROOM is a directory: `home` in it is the data directory. Where a disk is to fail, `under/image` is the file system that
has the ledger or the spool, on the loop device that the variable DISK names; it is cut off in the middle of a file.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from monitor.errors import MonitorError
from monitor.ledger.check import check
from tests.factories import make_record
from tests.world import World

_RECORDS: Final = 400
_PAGE: Final = bytes(4_096)
_FIBMAP: Final = 1
_SECOND_HEADER: Final = 8_192
"""Of a ledger; DuckDB writes one or the other at each checkpoint."""


@contextmanager
def _full(world: World) -> Iterator[None]:
    ballast = world.home.path / "ballast"
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(descriptor, _PAGE):
            pass
    except OSError:
        os.close(descriptor)
    yield
    ballast.unlink()


@contextmanager
def _cut(path: Path, image: Path, *, at: int) -> Iterator[None]:
    """The disk ends at a byte of this file: reading and writing what lies behind gives EIO."""
    os.sync()
    place = _place_of(path, at)
    lost = image.read_bytes()[place:]
    os.truncate(image, place)
    _look_again()
    yield
    with image.open("ab") as file:
        file.truncate(place)
        file.write(lost)
    _look_again()


def _place_of(path: Path, at: int) -> int:
    """Where a byte of a file stands on its disk."""
    with path.open("rb") as file:
        size = os.fstatvfs(file.fileno()).f_bsize
        number = (at // size).to_bytes(4, sys.byteorder)
        return int.from_bytes(fcntl.ioctl(file, _FIBMAP, number), sys.byteorder) * size


def _image(world: World) -> Path:
    return world.home.path.parent / "under" / "image"


def _look_again() -> None:
    """Let the system see how large the disk is, and forget what it had read of it."""
    subprocess.run(["losetup", "-c", os.environ["DISK"]], check=True)
    Path("/proc/sys/vm/drop_caches").write_text("3")


_TROUBLES: Final[dict[str, Callable[[World], AbstractContextManager[None]]]] = {
    "full": _full,
    "ledger": lambda world: _cut(world.home.ledger, _image(world), at=_SECOND_HEADER),
    "segment": lambda world: _cut(world.segments()[0], _image(world), at=world.segments()[0].stat().st_size // 2),
}


def _tried(act: Callable[[], object]) -> str:
    try:
        return f"done: {act()}"
    except MonitorError as error:
        return str(error)


def main(trouble: str, room: Path) -> None:
    with World(room) as world:
        world.store(*(make_record() for _ in range(_RECORDS)))
        world.ledger.checkpoint()
        world.spool(*(make_record(user=f"u{number}") for number in range(_RECORDS)))
        with _TROUBLES[trouble](world):
            told = [_tried(act) for act in (world.drain.run, world.ledger.checkpoint, world.drain.run)]
            told += [_tried(lambda: " ".join(world.drain.backlog().faults))]
        found = {
            "told": told,
            "after": [_tried(world.drain.run), _tried(world.ledger.checkpoint)],
            "stored": world.value("select count(*) from requests"),
            "faults": [fault.what for fault in check(world.ledger).faults],
        }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
