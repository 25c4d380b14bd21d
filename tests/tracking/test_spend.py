"""What a block is told it spent: which requests count, when, and what is said of those whose cost nobody knows."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import monitor
from monitor.capture.trackers import Tracker, tell, tell_end, trackers_of_request
from monitor.pricing.figures import Figures, Priced
from monitor.records import Record, Usage
from monitor.settings import Settings
from monitor.spool.format import encode_facts
from monitor.tracking import Spend
from tests.architecture.sources import ROOT
from tests.factories import make_failure, make_record, make_usage

_COST = Decimal("0.0035")
_SETTINGS = Settings(home=Path("no-home"))


def _finish(trackers: Sequence[Tracker], *records: Record) -> None:
    """As the recorder does at the end of a request."""
    tell(trackers, *(encode_facts(record) for record in records))
    tell_end(trackers)


def _request(*records: Record) -> None:
    """A request from its start to its end; a usual one where nothing else is given."""
    _finish(trackers_of_request(), *(records or (make_record(),)))


def test_a_block_counts_the_requests_inside_it() -> None:
    """Those before and after it belong to somebody else."""
    _request()
    with monitor.track(settings=_SETTINGS) as spend:
        _request()
        _request(make_record(attempt=1, usage=make_usage(cache_read_input_tokens=400)))
    _request()

    assert (spend.requests, spend.calls) == (2, 1)
    assert (spend.input_tokens, spend.output_tokens, spend.cache_read_input_tokens) == (2_000, 200, 400)
    assert (spend.list_cost, spend.known_list_cost) == (Decimal("0.0065"), Decimal("0.0065"))
    assert (spend.pending, spend.is_complete) == (0, True)


def test_nothing_spent_is_known_to_be_nothing() -> None:
    """Tokens that nobody stated are unknown all the same."""
    with monitor.track(settings=_SETTINGS) as spend:
        pass

    assert (spend.requests, spend.list_cost, spend.input_tokens) == (0, Decimal(0), None)


def test_the_figures_can_be_read_within_the_block() -> None:
    """They grow as requests end."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request()
        after_one = spend.list_cost
        _request()

    assert (after_one, spend.list_cost) == (_COST, 2 * _COST)


def test_an_unknown_cost_makes_the_sum_unknown() -> None:
    """What is known of it is told apart, and how many requests are not in it."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request()
        _request(make_record(response_model="gpt-99"))
        _request(make_record(usage=Usage(), usage_source="none"))

    assert (spend.list_cost, spend.known_list_cost, spend.unpriced_requests) == (None, _COST, 2)
    assert not spend.is_complete
    assert "list cost unknown" in repr(spend)


def test_a_failure_costs_nothing() -> None:
    """A refused request is counted and leaves the sum known."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(make_failure())

    assert (spend.requests, spend.list_cost, spend.is_complete) == (1, Decimal(0), True)


def test_estimates_are_told() -> None:
    """Their cost is in the sum."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(make_record(usage_source="estimated"))

    assert (spend.estimated_requests, spend.list_cost) == (1, _COST)


def test_a_request_is_pending_until_it_ends() -> None:
    """A stream that outlives the block still counts, when it ends."""
    with monitor.track(settings=_SETTINGS) as spend:
        trackers = trackers_of_request()
        inside = spend.pending, spend.requests
    after = spend.pending, spend.is_complete
    _finish(trackers, make_record())

    assert (inside, after) == ((1, 0), (1, False))
    assert (spend.pending, spend.requests, spend.list_cost) == (0, 1, _COST)


def test_a_request_may_have_many_records() -> None:
    """A download of batch results has one for each line; it is pending once."""
    lines = [make_record(is_batch=True, file_id="f", custom_id=str(number), usage_source="late") for number in range(3)]
    with monitor.track(settings=_SETTINGS) as spend:
        _request(make_failure(), *lines)

    assert (spend.pending, spend.requests, spend.list_cost) == (0, 4, 3 * _COST / 2)


def test_blocks_in_blocks_count_both() -> None:
    """The outer one has all."""
    with monitor.track(settings=_SETTINGS) as outer:
        _request()
        with monitor.track(settings=_SETTINGS) as inner:
            _request()
        _request()

    assert (outer.requests, inner.requests) == (3, 1)


def test_models_are_told_apart() -> None:
    """By the one that answered, else the one that was asked; the parts make the whole."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request()
        _request(make_record(response_model="gpt-4o-mini"))
        _request(make_record(response_model=None))
        _request(make_failure(request_model=None))

    by_model = spend.by_model
    assert {model: figures.requests for model, figures in by_model.items()} == {
        "gpt-4o-2024-08-06": 1,
        "gpt-4o-mini": 1,
        "gpt-4o": 1,
        None: 1,
    }
    assert by_model["gpt-4o-mini"].list_cost == Decimal("0.00021")
    assert sum(by_model.values(), Figures()) == spend.total


def test_tasks_started_inside_count() -> None:
    """Also those that go on in another task; not those of somebody else."""

    async def one() -> None:
        await asyncio.sleep(0)
        _request()

    async def tracked(requests: int) -> Spend:
        with monitor.track(settings=_SETTINGS) as spend:
            await asyncio.gather(*(one() for _ in range(requests)))
        return spend

    async def both() -> tuple[Spend, Spend]:
        return await asyncio.gather(tracked(2), tracked(3))

    assert [spend.requests for spend in asyncio.run(both())] == [2, 3]


def test_a_task_that_outlives_the_block_counts_what_it_began_inside() -> None:
    """A request that it starts later is not in the block."""

    async def run() -> Spend:
        left = asyncio.Event()

        async def late() -> None:
            await left.wait()
            _request()

        with monitor.track(settings=_SETTINGS) as spend:
            task = asyncio.create_task(late())
        left.set()
        await task
        return spend

    spend = asyncio.run(run())

    assert (spend.requests, spend.pending) == (0, 0)


def test_threads_count_with_a_copied_context() -> None:
    """As tags do; none is lost when many end at once."""
    with monitor.track(settings=_SETTINGS) as spend, ThreadPoolExecutor(8) as pool:
        contexts = [contextvars.copy_context() for _ in range(200)]
        list(pool.map(lambda context: context.run(_request), contexts))
        pool.submit(_request).result()

    assert (spend.requests, spend.pending, spend.list_cost) == (200, 0, 200 * _COST)


def test_a_block_may_be_left_in_another_context() -> None:
    """A web framework may run the two halves of a dependency in two threads."""
    block = monitor.track(settings=_SETTINGS)
    contextvars.copy_context().run(block.__enter__)
    contextvars.copy_context().run(block.__exit__, None, None, None)


def test_an_end_inside_a_garbage_collection_is_counted() -> None:
    """A stream that nobody closed may end in the middle of any line, even while its block is counting."""
    spends: list[Spend] = []

    class Abandoned:
        """Stands for a stream; ends when it is collected."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            spends[0].took(make_record())

    def price(_: Record) -> Priced:
        gc.collect()
        return Priced(state="priced", list_cost=Decimal(1))

    spends.append(Spend(price))
    Abandoned()
    spends[0].took(make_record())

    assert (spends[0].requests, spends[0].list_cost) == (2, Decimal(2))


def test_reading_while_others_write_is_consistent() -> None:
    """Each reading is of one moment."""
    with monitor.track(settings=_SETTINGS) as spend:
        pass
    readings: list[Figures] = []
    reader = threading.Thread(target=lambda: readings.extend(spend.total for _ in range(300)))
    reader.start()
    for _ in range(300):
        spend.took(make_record())
    reader.join()

    assert all(total.list_cost == total.requests * _COST for total in readings)
    assert spend.requests == 300


_BEGUN: dict[str, Any] = {"endpoint": "/responses", "response_id": "resp_1", "answer_status": "queued"}
_POLLED: dict[str, Any] = {
    "endpoint": "/responses/{id}",
    "response_id": "resp_1",
    "method": "GET",
    "is_billable": False,
}


def _begun(**changes: Any) -> Record:
    """A response that works in the background."""
    return make_record(usage=Usage(), usage_source="none", **(_BEGUN | changes))


def _polled(*, is_over: bool = True, **changes: Any) -> Record:
    """What is said of it later."""
    usage = make_usage() if is_over else Usage()
    facts = {"usage_source": "late" if is_over else "none", "answer_status": "completed" if is_over else "queued"}
    return make_record(usage=usage, **(_POLLED | facts | changes))


def test_work_in_the_background_is_pending_until_its_usage_is_told() -> None:
    """However often it is told, it counts once."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(_begun())
        _request(_polled(is_over=False))
        before = spend.pending, spend.is_complete, spend.unpriced_requests
        _request(_polled())
        _request(_polled())

    assert before == (1, False, 0)
    assert (spend.pending, spend.requests, spend.list_cost, spend.input_tokens) == (0, 4, _COST, 1_000)


def test_work_that_failed_in_the_background_costs_nothing() -> None:
    """Nothing is pending any more; work that ended without a word of its usage has no known cost."""
    with monitor.track(settings=_SETTINGS) as failed:
        _request(_begun())
        _request(_polled(is_over=False, answer_status="failed"))
    with monitor.track(settings=_SETTINGS) as cancelled:
        _request(_begun())
        _request(_polled(is_over=False, answer_status="cancelled"))

    assert (failed.pending, failed.list_cost) == (0, Decimal(0))
    assert (cancelled.pending, cancelled.unpriced_requests, cancelled.list_cost) == (0, 1, None)


def test_an_answer_that_is_read_again_counts_once() -> None:
    """Its usage was stated when it was made."""
    with monitor.track(settings=_SETTINGS) as spend:
        _request(make_record(response_id="resp_1", endpoint="/responses"))
        _request(_polled())

    assert (spend.requests, spend.list_cost) == (2, _COST)


def test_reading_an_answer_again_tells_what_a_broken_stream_used() -> None:
    """Then its cost is known."""
    broken = make_record(usage=Usage(), usage_source="none", outcome="interrupted", response_id="resp_1")
    with monitor.track(settings=_SETTINGS) as spend:
        _request(broken)
        before = spend.list_cost
        _request(_polled(usage_source="repeated"))

    assert (before, spend.list_cost, spend.unpriced_requests) == (None, _COST, 0)


def test_an_answer_that_could_not_be_read_has_no_known_cost() -> None:
    """It was made, and charged."""
    failed = {"usage_source": "none", "outcome": "failed"}
    with monitor.track(settings=_SETTINGS) as spend:
        _request(make_record(usage=Usage(), error_class="parse", **failed))

    assert (spend.list_cost, spend.unpriced_requests) == (None, 1)


def test_work_that_began_elsewhere_counts_where_its_usage_is_told() -> None:
    """The block sees only this answer; a repeated one counts nowhere."""
    with monitor.track(settings=_SETTINGS) as late:
        _request(_polled())
    with monitor.track(settings=_SETTINGS) as repeated:
        _request(_polled(usage_source="repeated"))

    assert (late.list_cost, repeated.list_cost) == (_COST, Decimal(0))


def test_a_deployment_costs_what_its_model_costs(tmp_path: Any) -> None:
    """The settings say which that is."""
    settings = Settings(home=tmp_path, deployments={"my-chat": "gpt-4o"})
    with monitor.track(settings=settings) as spend:
        _request(make_record(request_model="my-chat", response_model=None))

    assert spend.list_cost == _COST


def test_records_come_over_as_they_are_written() -> None:
    """Nothing of a record is lost on the way."""
    seen: list[Record] = []

    class Listener(Spend):
        def took(self, record: Record) -> None:
            seen.append(record)

    record = make_record(usage=make_usage(audio_seconds=1.5), tags={"a": "é"}, finish_reasons=["stop"])
    tell([Listener(lambda _: Priced(state="free"))], encode_facts(record))

    assert [msgspec.to_builtins(found) for found in seen] == [msgspec.to_builtins(record)]


@pytest.mark.parametrize(("blocked", "told"), [("genai_prices", 'pip install "openai-monitor[prices]"')])
def test_without_the_price_list_it_says_what_to_install(blocked: str, told: str) -> None:
    """The rest of the package works without."""
    program = (
        f"import sys; sys.modules[{blocked!r}] = None\nimport monitor\n"
        "try:\n    with monitor.track(): pass\nexcept monitor.MonitorError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told in run.stdout


def test_importing_the_package_does_not_load_the_price_list() -> None:
    """Only a block that tracks pays for it."""
    program = (
        "import sys, monitor; print('monitor.tracking' in sys.modules); monitor.track; "
        "print('genai_prices' in sys.modules, 'pydantic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["False", "False", "False"]


def test_names_that_are_not_there_are_not_there() -> None:
    """Though some are found only when they are used."""
    with pytest.raises(AttributeError, match="has no attribute 'trck'"):
        getattr(monitor, "trck")  # noqa: B009 - a type checker knows that it is not there
