"""The composed samples through every generation of the SDK: the same for the program, and the same row from each."""

import json
from pathlib import Path

import pytest

from tests.capture.samples import FOLDER, read_samples
from tests.cassettes.material import Library
from tests.cassettes.server import LoopbackServer
from tests.matrix.matrix import Row, drain, is_ready, run_in
from tests.matrix.test_sdks import GENERATIONS, OLDEST

pytestmark = [
    pytest.mark.torture,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the samples are not in ../shared/facts/samples"),
]

_OWN = frozenset(
    """
    record_id call_id started_at ended_at duration time_to_first_chunk server_duration host process_id sdk_version
    call_site call_function key_fingerprint body_fingerprint segment ingested_at
    """.split()  # noqa: SIM905 - words read better than a column of quotes
)
"""Columns that differ between any two calls."""


def _shared(rows: list[Row]) -> list[str]:
    """What rows say whoever asked; the lines of a batch are rows too."""
    kept = [{name: value for name, value in row.items() if name not in _OWN} for row in rows]
    return sorted(json.dumps(row, default=str) for row in kept)


def _rows(environment: str, home: Path) -> dict[str, list[Row]]:
    if not is_ready(environment):
        pytest.skip(f"{environment} is not there; `make {environment}` sets it up, or tells why not")
    with LoopbackServer(Library(read_samples()).answer) as server:
        ended = run_in(environment, "tests.matrix.samples_program", server.address, str(home), within=300)
    assert (ended.returncode, ended.stderr) == (0, "")
    facts = json.loads(ended.stdout)
    assert {name for name, (unwatched, watched) in facts["seen"].items() if unwatched != watched} == set()
    assert facts["counters"] == {}
    rows, quarantined = drain(home)
    assert quarantined == 0
    return rows


@pytest.mark.parametrize("environment", [OLDEST, *GENERATIONS[:-1]])
def test_every_sdk_leaves_the_same_rows(environment: str, tmp_path: Path) -> None:
    """What a sample becomes in the ledger does not depend on the SDK that asked for it."""
    newest, older = _rows(GENERATIONS[-1], tmp_path / "newest"), _rows(environment, tmp_path / "older")

    assert newest.keys() == older.keys() == {row.source for row in read_samples()}
    assert [name for name in newest if _shared(newest[name]) != _shared(older[name])] == []
