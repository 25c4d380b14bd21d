"""The drain dies at any moment while programs write: every line counts exactly once."""

import json
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.flow.oracle import Told, drained, survives
from tests.flow.running import Running, run

_A_KILL = 10.0
_START = 60.0
_PAUSE = 0.03
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""The process that forks the drains must not have threads."""


def _campaign(home: Path, kills: int) -> None:
    seed = Random().randrange(10**6)
    with ExitStack() as running:
        apps = [
            running.enter_context(Running("-m", "tests.flow.steady_app", str(home), way, str(_PAUSE), home=home))
            for way in ("from threads", "from tasks")
        ]
        for app in apps:
            app.wait_for("returned")
        ended = run(
            *("-m", "tests.flow.killed_drains", str(home), str(kills), str(seed)),
            home=home,
            more=_ONE_THREAD,
            within=_START + kills * _A_KILL,
        )
        assert (ended.status, ended.err) == (0, ""), ended.err
        at_work = json.loads(ended.out)["killed_at_work"]
        told = Told.of(line for app in apps for line in app.ended().out.splitlines())
    kept = drained(home)
    print(  # noqa: T201 - the outcome of a campaign, shown by `pytest -s`
        f"{kills} drains killed, {at_work} of them at work (seed {seed}): {told.begun} calls begun,"
        f" {told.returned.total()} returned, {kept.rows} requests stored, {dict(kept.outcomes)}"
    )

    survives(told, kept)
    assert kept.responses == told.returned
    assert kept.outcomes == {"completed": told.begun}
    assert (kept.quarantined, kept.dropped, kept.waiting) == (0, 0, 0)
    # On a busy machine many die before they have begun; but enough must have been at it.
    assert at_work > kills // 4


def test_every_line_counts_once_when_drains_are_killed(tmp_path: Path) -> None:
    """Deaths of the drain lose nothing, store nothing twice, and leave the rollup true."""
    _campaign(tmp_path / "home", 15)


@pytest.mark.torture
def test_every_line_counts_once_in_a_long_campaign_of_killed_drains(tmp_path: Path, kills: int) -> None:
    """The same, over many deaths."""
    _campaign(tmp_path / "home", kills)
