"""A drain that dies at each of its statements in turn, and is started again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.world import DyingError, DyingLedger, World


@contextmanager
def mortal_world(directory: Path) -> Iterator[tuple[World, DyingLedger]]:
    """A world, and its ledger, which can be told when to die."""
    with World(directory, ledger_type=DyingLedger) as world:
        ledger = world.ledger
        assert isinstance(ledger, DyingLedger)
        yield world, ledger


def die_at_each_statement(
    ledger: DyingLedger, write: Callable[[int], object], drain: Callable[[], object], *, step: int = 1
) -> int:
    """Write and drain in rounds, until a drain gets to its end alive.

    Args:
        ledger: what both use.
        write: leaves work for one drain; gets the number of the statement that this drain dies before.
        drain: is run once more after each death.
        step: how many statements later the next round's drain dies.

    Returns:
        The number of the last round's statement, which was not reached.
    """
    statement, has_died = 0, True
    while has_died:
        statement += step
        write(statement)
        ledger.dies_at(statement)
        has_died = _dies(drain)
        ledger.dies_at(None)
        if has_died:
            drain()
    return statement


def _dies(drain: Callable[[], object]) -> bool:
    try:
        drain()
    except DyingError:
        return True
    return False
