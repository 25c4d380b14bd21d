"""`track`: what a block of code spends, told in the program itself, without a server."""

import functools
import importlib
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from monitor.capture.trackers import put_tracker, take_tracker
from monitor.errors import PricingError
from monitor.home import Home, working_directory
from monitor.pricing.figures import Figures, Price, Priced, figures_of, settled
from monitor.records import UNFINISHED, Record
from monitor.settings import Settings

_MOST_ANSWERS: Final = 10_000
"""So many answers are remembered, to count one that is stated again only once."""

_STATING: Final = frozenset({"response", "late", "repeated"})
_OPEN_STATES: Final = frozenset({"no_usage", "pending"})

V = TypeVar("V")


@contextmanager
def track(*, settings: Settings | None = None) -> Iterator["Spend"]:
    """Count what the wrapped clients spend on requests that start inside the block: `with monitor.track() as spend:`.

    It works in plain and in async code. It follows the context as tags do: into tasks started inside, and into
    threads started with `contextvars.copy_context().run`. Blocks may be nested; each counts all that is inside it.
    The first block of a process loads the price list, which takes a moment.

    Usage that several answers state counts once. An estimate, of a stream that was left or broke, gives way to what
    the program reads of the same answer later, if the block counts that too.

    Args:
        settings: what `wrap` was given; None reads the environment and the nearest settings file, once.

    Raises:
        PricingError: the price list is not installed.
        SettingsError: a setting has a value that cannot be used.
    """
    spend = Spend(_usual_pricer() if settings is None else _pricer_of(settings))
    put_tracker(spend)
    try:
        yield spend
    finally:
        take_tracker(spend)
        spend.close()


class Spend:
    """What was spent in a block, so far. Read it inside the block or after it, from any thread.

    A request counts when it has ended; a stream that is still read when the block is left counts later.
    """

    def __init__(self, price: Price) -> None:
        """Nothing is spent yet; `monitor.track` makes it."""
        self._price = price
        self._is_open = True
        # Events go through a queue that needs no lock: one may come from a garbage collection, inside any line below.
        self._events: deque[Record | int] = deque()
        self._lock = threading.Lock()
        self._pending = 0
        self._by_model: dict[str | None, Figures] = {}
        self._owing: dict[str, tuple[Record, Figures]] = {}
        self._estimates: OrderedDict[str, tuple[Record, Figures]] = OrderedDict()
        # Whether one that reads work again counts for it.
        self._stated: OrderedDict[str, bool] = OrderedDict()

    @property
    def total(self) -> Figures:
        """All figures of one moment."""
        return sum(self.by_model.values(), Figures())

    @property
    def by_model(self) -> Mapping[str | None, Figures]:
        """The figures by the model that answered, else that was asked; None for requests without a model."""
        with self._lock:
            self._count_all()
            return dict(self._by_model)

    @property
    def pending(self) -> int:
        """Requests that have not ended, such as streams still read, or whose work goes on, as in the background."""
        with self._lock:
            self._count_all()
            return self._pending + sum(figures.pending for figures in self._by_model.values())

    @property
    def is_complete(self) -> bool:
        """Whether the list cost of every request is known and none is pending."""
        return not self.pending and not self.unpriced_requests

    @property
    def requests(self) -> int:
        """HTTP requests, retries included."""
        return self.total.requests

    @property
    def calls(self) -> int:
        """What the program asked for; retries are not counted."""
        return self.total.calls

    @property
    def input_tokens(self) -> int | None:
        """Tokens that went in, cached ones included; None when no answer stated any."""
        return self.total.input_tokens

    @property
    def output_tokens(self) -> int | None:
        """Tokens that came out, reasoning included; None when no answer stated any."""
        return self.total.output_tokens

    @property
    def cache_read_input_tokens(self) -> int | None:
        """Input tokens that came from the cache; None when no answer stated any."""
        return self.total.cache_read_input_tokens

    @property
    def list_cost(self) -> Decimal | None:
        """USD at list prices; None when the cost of any request is not known."""
        return self.total.list_cost

    @property
    def known_list_cost(self) -> Decimal:
        """USD at list prices of the requests whose cost is known."""
        return self.total.known_list_cost

    @property
    def unpriced_requests(self) -> int:
        """Requests that probably cost money, and nobody knows how much: no price, or no usage."""
        return self.total.unpriced_requests

    @property
    def estimated_requests(self) -> int:
        """Requests whose usage was estimated, and so their cost."""
        return self.total.estimated_requests

    def __repr__(self) -> str:
        total = self.total
        cost = "unknown" if total.list_cost is None else format(total.list_cost.normalize(), "f")
        return f"<Spend: {total.requests} requests, {self.pending} pending, list cost {cost} USD>"

    def began(self) -> bool:
        """A request starts; it counts if the block was not left yet."""
        if self._is_open:
            self._events.append(1)
        return self._is_open

    def took(self, record: Record) -> None:
        """A record of such a request is written."""
        self._events.append(record)
        self._count_soon()

    def ended(self) -> None:
        """Such a request is over."""
        self._events.append(-1)
        self._count_soon()

    def close(self) -> None:
        """The block is left."""
        self._is_open = False

    def _count_soon(self) -> None:
        # Whoever has the lock, or takes it next, counts it: every reader does before it reads.
        if self._lock.acquire(blocking=False):
            try:
                self._count_all()
            finally:
                self._lock.release()

    def _count_all(self) -> None:
        while self._events:
            event = self._events.popleft()
            if isinstance(event, int):
                self._pending += event
            else:
                self._count(event)

    def _count(self, record: Record) -> None:
        record = self._told_once(record)
        priced = self._price(record)
        figures = figures_of(record, priced)
        self._remember(record, priced, figures)
        self._add(record, figures)

    def _remember(self, record: Record, priced: Priced, figures: Figures) -> None:
        """What a later answer may tell better."""
        key = _key_of(record)
        if key is None:
            return
        if priced.state in _OPEN_STATES:
            self._owing[key] = record, figures
        elif record.usage_source == "estimated":
            _put(self._estimates, key, (record, figures))

    def _add(self, record: Record, figures: Figures) -> None:
        model = record.request_model if record.response_model is None else record.response_model
        self._by_model[model] = self._by_model.get(model, Figures()) + figures

    def _told_once(self, record: Record) -> Record:
        """The record as it counts: usage that several answers state counts once, with the first of them."""
        key = _key_of(record)
        if key is None:
            return _with_source(record, "response") if record.usage_source == "late" else record
        is_settling = self._settle(key, record)
        if record.usage_source == "estimated" and self._stated.get(key):
            # Another answer counts for it: a stream that was left may be closed only after its answer was read.
            return _with_source(record, "repeated")
        if record.usage_source not in _STATING:
            return record
        is_own = record.usage_source == "response"
        is_first = not is_own and (is_settling or (record.usage_source == "late" and key not in self._stated))
        _put(self._stated, key, is_first or self._stated.get(key, False))
        return record if is_own else _with_source(record, "response" if is_first else "repeated")

    def _settle(self, key: str, record: Record) -> bool:
        """Whether the record tells what became of work that an earlier request left open."""
        is_stated = record.usage_source in _STATING
        is_over = is_stated or record.answer_status not in (None, *UNFINISHED)
        found = self._owing.pop(key, None) if is_over else None
        if found is None and is_stated and record.usage_source != "response":
            found = self._estimates.pop(key, None)
        if found is None:
            return False
        origin, figures = found
        self._add(origin, settled(figures))
        if not is_stated:
            ended = self._price(msgspec.structs.replace(origin, answer_status=record.answer_status))
            self._add(origin, Figures(unpriced_requests=int(ended.is_unknown)))
        return True


def _put(answers: OrderedDict[str, V], key: str, value: V) -> None:
    """Remember it, and forget the oldest where there are too many."""
    answers[key] = value
    if len(answers) > _MOST_ANSWERS:
        answers.popitem(last=False)


def _with_source(record: Record, source: str) -> Record:
    return msgspec.structs.replace(record, usage_source=source)


def _key_of(record: Record) -> str | None:
    """What tells one answer from another that states the same usage; a line of batch results has its own name."""
    return f"{record.file_id}/{record.custom_id}" if record.custom_id is not None else record.response_id


@functools.cache
def _usual_pricer() -> Price:
    return _pricer_of(Settings.load(os.environ, working_directory()))


def _pricer_of(settings: Settings) -> Price:
    # Loaded here: an app that never tracks does not pay for the price list, nor need it.
    try:
        installed = importlib.import_module("monitor.pricing.installed")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "genai_prices":
            raise
        raise PricingError(
            'monitor.track needs the price list, which is not installed. Run: pip install "openai-monitor[prices]"'
        ) from error
    own = installed.published_prices(Home(settings.home).own_prices)
    price: Price = installed.Pricer(installed.installed_price_book(settings.deployments, own))
    return price
