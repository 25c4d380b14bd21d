"""The machine's clock is set back or forward, while programs write and while the drain runs: all counts once."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from monitor.health import Health
from monitor.jobs.upkeep import compact
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.retention import forget
from monitor.ledger.scopes import Slice
from monitor.records import Record
from monitor.spool.writer import SpoolWriter
from tests.factories import make_begin, make_record
from tests.world import ALWAYS, World

_HOUR, _DAY = 3_600.0, 86_400.0
_KEPT = timedelta(days=1_000)


class _Program:
    """Writes small segments, and reads the time off the same clock as the server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: list[Record] = []
        self.ended: list[Record] = []
        self.writer = SpoolWriter(world.home.spool, segment_size=4_000, health=Health(), calendar=world.clock)

    def work(self) -> None:
        """End what was begun before, and begin and end some more."""
        for record in self._open:
            self._end(record)
        self._open = [self._begin() for _ in range(2)]
        for record in [self._begin() for _ in range(5)]:
            self._end(record)

    def finish(self) -> None:
        """End everything."""
        for record in self._open:
            self._end(record)
        self.writer.close()

    def _begin(self) -> Record:
        record = make_record(started_at=self._world.clock())
        self.writer.begin(make_begin(record, started_at=record.started_at))
        return record

    def _end(self, record: Record) -> None:
        assert self.writer.end(record)
        self.ended.append(record)
        self._world.clock.advance(seconds=0.25)


def _campaign(world: World, jumps: Sequence[float]) -> None:
    dice = Random(7)
    programs = [_Program(world) for _ in range(2)]
    for jump in jumps:
        for program in dice.choices(programs, k=3):
            program.work()
        world.drain.run()
        dice.choice((int, partial(compact, world.ledger, world.home.spool, keep=60)))()
        world.clock.advance(seconds=jump)
        programs[0].work()
    for program in programs:
        program.finish()
    world.drain.run()
    compact(world.ledger, world.home.spool, keep=60)
    forget(world.ledger, requests=_KEPT, rollup=None, pieces=_KEPT)
    ended = [record for program in programs for record in program.ended]
    outcomes = world.rows("select outcome, count(*), count(distinct record_id) from requests group by 1")

    assert outcomes == [("completed", len(ended), len(ended))]
    assert [queries.totals(world.ledger, span).requests for span in _hours_of(ended)] == [*_hours_of(ended).values()]
    assert check(world.ledger).faults == ()


def _hours_of(records: Sequence[Record]) -> dict[Slice, int]:
    """How many began in each hour."""
    found = Counter(record.started_at.replace(minute=0, second=0, microsecond=0) for record in records)
    return {Slice(start=hour, end=hour + timedelta(hours=1)): number for hour, number in found.items()}


def test_nothing_is_lost_and_nothing_counts_twice_when_the_clock_jumps(world: World) -> None:
    """Back and forward, between rounds of the drain and the compaction: each request once, at the time it was given."""
    _campaign(world, (-_HOUR, _DAY, -366 * _DAY, 365 * _DAY))


@pytest.mark.torture
def test_nothing_is_lost_and_nothing_counts_twice_when_the_clock_jumps_very_often(world: World, kills: int) -> None:
    """The same, wherever it jumps to."""
    dice = Random()
    _campaign(world, [dice.choice((-_HOUR, _DAY, -_DAY, _HOUR, 0.0, dice.uniform(-5, 5))) for _ in range(kills)])


def test_what_is_missing_of_a_segment_is_known_though_the_clock_went_back(world: World) -> None:
    """The last position is the one that was read last, whatever time it says."""
    world.store(make_record(), make_record())
    world.clock.advance(seconds=-_HOUR)
    world.spool(make_record())
    (path,) = world.segments()
    path.write_bytes(path.read_bytes()[:-10] + b"damaged!!\n")
    world.drain.run()
    world.store(make_record())
    before = check(world.ledger)
    compact(world.ledger, world.home.spool, keep=60)
    world.store(make_record())

    assert queries.totals(world.ledger, ALWAYS).requests == 4
    assert (before.faults, check(world.ledger).faults) == ((), ())
