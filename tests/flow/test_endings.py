"""Programs that end in the middle of calls: nothing that came back is lost, and they end as they would unwatched."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flow.ending_app import WAYS
from tests.flow.oracle import Told
from tests.flow.rows import Row, drained_rows
from tests.flow.running import Ended, run

_UNWATCHED = {"MONITOR_ENABLED": "false"}
_HAS_CHANCE = frozenset({"daemon_threads"})
"""Ways in which it is a matter of chance how many calls are made, and which of them the end of the interpreter hits."""
_VARYING = re.compile(r"0x[0-9a-f]+|chatcmpl-[0-9a-f]+")


@dataclass(frozen=True)
class Both:
    """How a way ended, watched and not, and what is stored of it."""

    watched: Ended
    unwatched: Ended
    rows: list[Row]


def _end_all(folder: Path, home: Path, more: dict[str, str]) -> dict[str, Ended]:
    folder.mkdir()
    ended = run("-m", "tests.flow.ending_app", str(folder), *WAYS, home=home, more=more, within=300)
    assert ended == Ended(0, "", "")
    return {way: _ended(folder / way) for way in WAYS}


def _ended(path: Path) -> Ended:
    status, out, err = (path.with_suffix(f".{kind}").read_text() for kind in ("status", "out", "err"))
    return Ended(int(status), out, err)


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Both]:
    folder = tmp_path_factory.mktemp("endings")
    home = folder / "home"
    watched = _end_all(folder / "watched", home, {})
    unwatched = _end_all(folder / "unwatched", home, _UNWATCHED)
    rows = drained_rows(home, lambda row: row["service"])
    return {way: Both(watched[way], unwatched[way], rows.get(way, [])) for way in WAYS}


def _steps(ended: Ended) -> Counter[str]:
    """What a program told, without the ids."""
    return Counter(line.split()[0] for line in ended.out.splitlines())


@pytest.mark.parametrize("way", WAYS)
def test_no_end_loses_a_call(way: str, ends: dict[str, Both]) -> None:
    """Each request is one row, completed where it came back; none is lost and none is there twice."""
    told, rows = Told.of(ends[way].watched.out.splitlines()), ends[way].rows
    completed = Counter(row["response_id"] for row in rows if row["outcome"] == "completed")
    stored = Counter(row["response_id"] for row in rows if row["response_id"])

    assert told.returned - completed == Counter()
    assert stored - told.offered == Counter()
    assert len({row["record_id"] for row in rows}) == len(rows)
    # A call that the SDK itself could not send any more was begun but reached nobody.
    assert told.offered.total() <= len(rows) <= told.begun


@pytest.mark.parametrize("way", WAYS)
def test_no_end_is_another_than_unwatched(way: str, ends: dict[str, Both]) -> None:
    """Status, steps and error output are those of the program alone; nothing of ours is printed."""
    watched, unwatched = ends[way].watched, ends[way].unwatched

    assert watched.status == unwatched.status
    assert "monitor" not in watched.err
    if way not in _HAS_CHANCE:
        assert _steps(watched) == _steps(unwatched)
        assert _VARYING.sub("", watched.err) == _VARYING.sub("", unwatched.err)
