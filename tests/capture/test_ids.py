"""Ids of records sort by time and never repeat, in threads and in children."""

import os
import threading

from monitor.capture.ids import new_id

_MILLISECOND = 1_000_000


def test_an_id_is_32_hex_digits_that_begin_with_the_time() -> None:
    """48 bits of milliseconds come first, so ids sort by time."""
    earlier, later = (new_id(1_795_168_800_000 * _MILLISECOND + more) for more in (0, 5 * _MILLISECOND))

    assert len(earlier) == 32
    assert int(earlier[:12], 16) == 1_795_168_800_000
    assert earlier < later


def test_ids_of_threads_differ() -> None:
    """Even within one millisecond."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.extend(new_id(0) for _ in range(2_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 16_000


def test_a_child_does_not_go_on_with_its_parents_ids() -> None:
    """After a fork both would otherwise count on from the same number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id(0).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        theirs = file.read()

    assert theirs[12:22] != new_id(0)[12:22]
