"""Programs die at any moment: what they were told is stored."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.flow.oracle import Told, drained, survives
from tests.flow.running import run

_A_KILL = 5.0
_START = 60.0


def _campaign(home: Path, kills: int) -> None:
    seed = Random().randrange(10**6)
    ended = run(
        "-m", "tests.flow.killed_apps", str(home), str(kills), str(seed), home=home, within=_START + kills * _A_KILL
    )
    assert (ended.status, ended.err) == (0, ""), ended.err
    told = Told.of(json.loads(ended.out))
    kept = drained(home)
    print(  # noqa: T201 - the outcome of a campaign, shown by `pytest -s`
        f"{kills} programs killed (seed {seed}): {told.begun} calls begun, {told.returned.total()} returned,"
        f" {kept.rows} requests stored, {dict(kept.outcomes)}, {kept.quarantined} torn lines"
    )

    survives(told, kept)
    assert told.returned.total() > kills
    assert kept.dropped == 0
    # Each death tears one line at most.
    assert kept.quarantined <= kills


def test_no_returned_call_is_lost_when_programs_are_killed(tmp_path: Path) -> None:
    """Whatever way a program calls, the calls that came back are stored once and nothing else is made up."""
    _campaign(tmp_path / "home", 16)


@pytest.mark.torture
def test_no_returned_call_is_lost_in_a_long_campaign_of_kills(tmp_path: Path, kills: int) -> None:
    """The same, over many deaths."""
    _campaign(tmp_path / "home", kills)
