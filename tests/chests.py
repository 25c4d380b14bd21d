"""What tasks work with, over the stores of a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from monitor.jobs.chest import Chest
from monitor.jobs.price_desk import PriceDesk
from tests.factories_alerts import open_control
from tests.world import World


@contextmanager
def chest_of(world: World, drain: Callable[[], object] | None = None) -> Iterator[Chest]:
    """The chest of a world, with a control store beside its ledger."""

    def drain_now() -> None:
        (drain or world.drain.run)()

    with open_control(world.home.path, world.clock) as control:
        desk = PriceDesk(world.ledger, control, {}, world.health, world.home.own_prices)
        yield Chest(
            ledger=world.ledger,
            home=world.home,
            drain=drain_now,
            read_again=world.drain.read_again,
            control=control,
            book=desk.book,
            take_up_prices=lambda: desk.take_up(world.drain.use),
        )
