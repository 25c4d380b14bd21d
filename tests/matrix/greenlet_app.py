"""A program whose threads are gevent's: everything is patched before anything else is loaded.

python -m tests.matrix.greenlet_app CALLS
"""

import gevent.monkey

gevent.monkey.patch_all()

import os  # noqa: E402 - patched before
import sys  # noqa: E402 - as above
import threading  # noqa: E402 - as above

import gevent  # noqa: E402 - as above
import gevent.pool  # noqa: E402 - as above

from tests.flow.telling import MESSAGES, MODEL, call, new_client, stream, tell  # noqa: E402 - as above

_AT_ONCE = 16


def _killed(client: object) -> None:
    """A greenlet that is killed at some switch, inside a call or not."""
    greenlet = gevent.spawn(stream, client)
    gevent.sleep(0)
    greenlet.kill()


def main(calls: int) -> None:
    client = new_client()
    pool = gevent.pool.Pool(_AT_ONCE)
    for _ in range(calls // _AT_ONCE):
        for _ in range(_AT_ONCE // 2):
            pool.spawn(call, client)
            pool.spawn(stream, client)
        gevent.sleep(0)
    pool.join()
    thread = threading.Thread(target=call, args=(client,))
    thread.start()
    thread.join()
    for _ in range(calls // _AT_ONCE):
        _killed(client)
    child = os.fork()
    if not child:
        call(client)
        os._exit(0)
    os.waitpid(child, 0)
    tell(f"begun\nreturned {client.chat.completions.create(model=MODEL, messages=MESSAGES).id}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
