import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from monitor.demo.cast import SERVICES
from monitor.demo.fake_api import FakeOpenAI
from monitor.demo.faults import NO_ERRORS
from monitor.demo.history import write_history
from monitor.demo.workload import Workload
from monitor.health import Health
from monitor.home import Home
from monitor.records import Record
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter

_SAME = ("endpoint", "operation_name", "service", "environment", "team", "feature", "call_site", "call_function")
_SAME_KEYS = ("billing_account_id", "sub_account_id", "key_fingerprint", "key_hint", "provider_name", "sdk_version")


def read(spool: Path) -> Iterator[Record]:
    for path in spool.iterdir():
        for line in path.read_bytes().splitlines():
            if b'"kind":"end"' in line[:40]:
                yield msgspec.json.decode(line, type=Record)


def run(home: Path, requests: int) -> list[Record]:
    settings = Settings(home=home)
    with FakeOpenAI(seed=3, errors=NO_ERRORS, speed=0) as api:
        workload = Workload(api.base_url, settings, pace=40, seed=3)
        workload.start()
        deadline = time.monotonic() + 60
        while api.requests < requests:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        workload.stop()
        workload.stop()
    return list(read(Home(home).spool))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    return run(tmp_path_factory.mktemp("live") / "home", 400)


def test_every_service_calls_and_is_recorded(live: list[Record]) -> None:
    """Each program of the cast makes calls, and each request stands on the spool."""
    assert len(live) >= 400
    assert {record.service for record in live} == {service.name for service in SERVICES}
    assert {record.outcome for record in live} <= {"completed", "failed", "interrupted"}


def test_live_records_look_like_past_ones(live: list[Record], tmp_path: Path) -> None:
    """A feature has the same service, team, place in the code and account in the past and while the demo runs."""
    writer = SpoolWriter(tmp_path, segment_size=2**30, health=Health())
    write_history(writer, now=live[0].started_at, days=7, seed=1)
    writer.close()
    past = {tuple(getattr(record, name) for name in (*_SAME, *_SAME_KEYS[:2])) for record in read(tmp_path)}
    # Who is cancelled before the answer comes is not told whose account it was.
    answered = [record for record in live if record.status is not None]
    present = {tuple(getattr(record, name) for name in (*_SAME, *_SAME_KEYS[:2])) for record in answered}

    assert present <= past


def test_usage_of_live_records_is_the_answers(live: list[Record]) -> None:
    """Every completed request states its tokens, also the streams that did not ask for them."""
    completed = [record for record in live if record.outcome == "completed"]

    assert all(record.usage_source == "response" and record.input_tokens for record in completed)
    assert any(record.feature == "commit-message" for record in completed)


def test_no_thread_is_left(tmp_path: Path) -> None:
    """After `stop` all threads of the services are gone."""
    run(tmp_path / "home", 20)

    names = tuple(service.name for service in SERVICES)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(names)]


def test_a_workload_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    """Stopping without a start does nothing."""
    Workload("http://127.0.0.1:1/v1", Settings(home=tmp_path / "home")).stop()
