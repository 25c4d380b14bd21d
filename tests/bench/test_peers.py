"""The comparison with other tools: a made-up one is switched on and off, and every call is made where it belongs."""

import json
import math
from pathlib import Path
from typing import Any

import openai
import pytest

from bench.overhead import CHUNKS
from bench.peers import CALLS, MODULES, STREAMS, figures_of, is_there, times_of
from tests.capture.world import World, like_openai, new_client
from tests.cassettes.server import LoopbackServer
from tests.flow.running import ROOT, run

_ROUNDS = 1
_WARM_UP = 1
"""Before each series; it is not timed."""

_CALLS = (CALLS + _WARM_UP) * (_ROUNDS + 1)
_STREAMS = (STREAMS + _WARM_UP) * (_ROUNDS + 1)


class _Peer:
    """Sees what one client asks while it is on."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.is_on = False
        self.turns = self.seen = self.others = 0
        client._client.event_hooks = {"request": [self._see]}

    def on(self) -> None:
        assert not self.is_on
        self.is_on = True
        self.turns += 1

    def off(self) -> None:
        assert self.is_on
        self.is_on = False

    def _see(self, _: Any) -> None:
        self.seen += self.is_on
        self.others += not self.is_on


def test_each_is_asked_in_its_turn(tmp_path: Path) -> None:
    """The peer sees its own calls and streams only, and ours are recorded."""
    world = World(tmp_path / "home")
    with LoopbackServer(like_openai) as server:
        raw, ours = (new_client(openai.OpenAI, server) for _ in range(2))
        peer = _Peer(raw)
        took = times_of(peer, raw, world.wrap(ours), _ROUNDS)
        raw.close()
        ours.close()

    assert (peer.is_on, peer.turns, peer.seen) == (False, _ROUNDS + 1, _CALLS + _STREAMS)
    # The raw ones, and those within a span.
    assert peer.others == 2 * _CALLS + _STREAMS
    recorded = [bool(line.get("is_streaming")) for line in world.ends()]
    assert (recorded.count(False), recorded.count(True)) == (_CALLS, _STREAMS)
    assert {what: len(times) for what, times in took.items()} == {
        f"{who} {what}": times * (_ROUNDS + 1)
        for what, times in (("call", CALLS), ("stream", STREAMS))
        for who in ("raw", "ours", "span", "peer")
        if (who, what) != ("span", "stream")
    }
    assert all(map(math.isfinite, figures_of(took).values()))


def test_figures_are_what_each_adds_to_raw_calls() -> None:
    """In microseconds, of a stream by the chunk; the first round, in which caches are cold, is left out."""
    calls = {"raw call": 1e-3, "ours call": 1.5e-3, "span call": 1.1e-3, "peer call": 3e-3}
    streams = {"raw stream": 1e-2, "ours stream": 1e-2 + CHUNKS * 5e-6, "peer stream": 1e-2 + CHUNKS * 4e-5}
    took = {what: [9.0] * CALLS + [time] * CALLS for what, time in calls.items()}
    took |= {what: [9.0] * STREAMS + [time] * STREAMS for what, time in streams.items()}

    assert figures_of(took) == {
        "raw_us_a_call": 1_000.0,
        "span_us_a_call": 100.0,
        "ours_us_a_call": 500.0,
        "peer_us_a_call": 2_000.0,
        "ours_us_a_chunk": 5.0,
        "peer_us_a_chunk": 40.0,
    }


def test_what_is_not_installed_is_known() -> None:
    """Also where the package around it is missing."""
    assert [is_there(name) for name in ("json", "no_such_tool", "no_such.tool.at.all")] == [True, False, False]


@pytest.mark.parametrize("name", MODULES)
def test_a_real_tool_is_measured(tmp_path: Path, name: str) -> None:
    """By the command; in an environment of its own, for they change the SDK."""
    if not is_there(MODULES[name]):
        pytest.skip(f"{name} is not installed")
    ended = run("-m", "bench.peers", "--only", name, "--rounds", "1", home=tmp_path / "home", cwd=ROOT, within=300)

    assert ended.status == 0, ended.err
    assert json.loads(ended.out.splitlines()[-1])["raw_us_a_call"] > 0
