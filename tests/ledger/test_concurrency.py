"""Many read while the drain writes: nobody waits for a lock, and nobody sees half of a batch."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from monitor.jobs.upkeep import compact
from monitor.ledger import queries
from tests.factories import make_record
from tests.world import ALWAYS, World

_BATCHES = 6
_BATCH = 10
_PRICE = Decimal("0.0035")


def test_readers_see_whole_batches_while_the_drain_writes(world: World) -> None:
    """Rollup and requests agree at each moment, also while the ledger is compacted."""
    is_done = threading.Event()
    faults: list[object] = []

    def read() -> int:
        rounds = 0
        while not is_done.is_set() or rounds == 0:
            rounds += 1
            with world.ledger.cursor() as cursor:
                cursor.execute("begin")
                raw = cursor.execute("select count(*), coalesce(sum(list_cost), 0) from requests").fetchone()
                rolled = cursor.execute(
                    "select coalesce(sum(requests), 0), coalesce(sum(list_cost), 0) from usage_hourly"
                ).fetchone()
                cursor.execute("commit")
            totals = queries.totals(world.ledger, ALWAYS)
            if raw != rolled or raw is None or raw[0] % _BATCH or totals.requests % _BATCH:
                faults.append((raw, rolled, totals))
        return rounds

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            for _ in range(_BATCHES):
                world.store(*(make_record() for _ in range(_BATCH)))
                compact(world.ledger, world.home.spool, keep=3_600)
        finally:
            is_done.set()
        rounds = [reader.result() for reader in readers]

    assert faults == []
    assert min(rounds) > 0
    assert queries.totals(world.ledger, ALWAYS).list_cost == _BATCHES * _BATCH * _PRICE


def test_writers_take_turns(world: World) -> None:
    """Drain, compaction and refresh of prices in several threads never conflict."""
    world.spool(*(make_record() for _ in range(50)))

    def work(number: int) -> None:
        world.drain.run()
        compact(world.ledger, world.home.spool, keep=3_600)

    with ThreadPoolExecutor(2) as threads:
        drained = threads.submit(work, 1)
        compacted = threads.submit(compact, world.ledger, world.home.spool, keep=3_600)
        drained.result()
        compacted.result()

    assert queries.totals(world.ledger, ALWAYS).requests == 50
