"""A program whose tasks are trio's.

python -m tests.matrix.trio_app CALLS
"""

import random
import sys

import trio

from tests.flow.telling import call_async, new_async_client, stream_async

_AT_ONCE = 16


async def main(calls: int) -> None:
    async with new_async_client() as client:
        for _ in range(calls // _AT_ONCE):
            async with trio.open_nursery() as nursery:
                for number in range(_AT_ONCE):
                    nursery.start_soon((call_async, stream_async)[number % 2], client)
        for _ in range(calls // _AT_ONCE):
            with trio.move_on_after(random.random() / 100):
                async with trio.open_nursery() as nursery:
                    for number in range(_AT_ONCE):
                        nursery.start_soon((call_async, stream_async)[number % 2], client)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
