"""What tasks work with, and what is given for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.control.store import Control
from monitor.home import Home
from monitor.ledger.ledger import Ledger
from monitor.pricing.book import PriceBook

Given = Mapping[str, str]
"""What a command says of its task, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chest:
    """What tasks work with.

    Attributes:
        drain: takes in what waits on the spool.
        read_again: takes in what of damaged segments is whole now; tells how many lines.
        book: gives the price book with what people have said so far.
        take_up_prices: lets that book hold from now on; tells for how many models something changed.
    """

    ledger: Ledger
    home: Home
    drain: Callable[[], None]
    read_again: Callable[[], int]
    control: Control
    book: Callable[[], PriceBook]
    take_up_prices: Callable[[], int]
