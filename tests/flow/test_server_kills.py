"""The whole server dies at any moment while programs write, and somebody tampers with the spool: all counts once."""

import contextlib
import shutil
import signal
from contextlib import ExitStack
from pathlib import Path
from random import Random
from subprocess import TimeoutExpired

import pytest

from monitor.house import House
from monitor.ledger.check import check
from monitor.settings import Settings
from tests.flow.oracle import Told, drained, survives
from tests.flow.running import Running, Server

_PAUSE = 0.02
_LONGEST_LIFE = 1.5
_BUSY = {
    "MONITOR_DRAIN_INTERVAL": "0.1",
    "MONITOR_COMPACTION_INTERVAL": "0.5",
    "MONITOR_BUDGET_INTERVAL": "0.5",
    "MONITOR_SPOOL_KEEP": "1",
}
"""Everything runs often, so that a death meets it."""


def _tamper(spool: Path, dice: Random) -> None:
    """Copy a segment beside itself, or give one another name, as backups and people do."""
    segments = sorted(spool.glob("*.ndjson"))
    if not segments:
        return
    chosen = dice.choice(segments)
    other = spool / f"{dice.getrandbits(64):016x}.ndjson"
    try:
        if dice.random() < 0.5:
            shutil.copy(chosen, other)
        else:
            chosen.rename(other)
    except FileNotFoundError:
        # The server has just let go of it.
        other.unlink(missing_ok=True)


def _campaign(home: Path, kills: int) -> None:
    seed = Random().randrange(10**6)
    dice = Random(seed)
    with ExitStack() as running:
        apps = [
            running.enter_context(Running("-m", "tests.flow.steady_app", str(home), way, str(_PAUSE), home=home))
            for way in ("from threads", "from tasks")
        ]
        for app in apps:
            app.wait_for("returned")
        for _ in range(kills):
            with Server(home, more=_BUSY) as server:
                life = dice.random() * _LONGEST_LIFE
                _tamper(home / "spool", dice)
                with contextlib.suppress(TimeoutExpired):
                    server.process.wait(life)
                server.send(signal.SIGKILL)
        told = Told.of(line for app in apps for line in app.ended().out.splitlines())
    kept = drained(home)
    with House(Settings(home=home)) as house:
        found = check(house.ledger)
    print(  # noqa: T201 - the outcome of a campaign, shown by `pytest -s`
        f"{kills} servers killed (seed {seed}): {told.begun} calls begun, {told.returned.total()} returned,"
        f" {kept.rows} requests stored, {len(found.faults)} disagreements"
    )

    survives(told, kept)
    assert kept.responses == told.returned
    assert (kept.quarantined, kept.dropped, kept.waiting) == (0, 0, 0)
    assert found.faults == ()


def test_every_call_counts_once_when_servers_are_killed(tmp_path: Path) -> None:
    """Deaths of the server, copies and new names of segments lose nothing and store nothing twice."""
    _campaign(tmp_path / "home", 2)


@pytest.mark.torture
def test_every_call_counts_once_in_a_long_campaign_of_killed_servers(tmp_path: Path, kills: int) -> None:
    """The same, over many deaths."""
    _campaign(tmp_path / "home", kills)


def test_a_second_server_refuses_with_a_sentence(tmp_path: Path) -> None:
    """One directory has one server; the first goes on."""
    home = tmp_path / "home"
    with Server(home) as server, Running("-m", "monitor.cli.entry", "up", "--port", "0", home=home) as second:
        ended = second.ended()

        assert ended.status != 0
        assert "Traceback" not in ended.err
        assert str(server.process.pid) in ended.err or "another process" in ended.err
        assert server.health()["status"] == "ok"
