"""HTTP clients that are shared, in every generation of the SDK: who asked is told apart, and nobody is left out."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.capture.world import CHAT
from tests.cassettes.server import Answer, Asked, LoopbackServer
from tests.matrix.matrix import Row, drain, is_ready, run_in
from tests.matrix.sharing_program import SECRET
from tests.matrix.test_sdks import GENERATIONS, OLDEST

_JSON = (("content-type", "application/json"),)
_MOVED = {"/v1/moved": "/elsewhere/things", "/elsewhere/things": None}

Told = tuple[str | None, str, str]


def _answer(asked: Asked) -> Answer:
    target = _MOVED.get(asked.target)
    if target is not None:
        return Answer(status=302, headers=(("location", target),))
    return Answer(headers=_JSON, pieces=(json.dumps(CHAT).encode(),))


def _told(rows: list[Row]) -> list[Told]:
    rows = sorted(rows, key=lambda row: (row["started_at"], row["record_id"]))
    return [(row["service"], row["operation_name"], row["endpoint"]) for row in rows]


@pytest.fixture(scope="module", params=[OLDEST, *GENERATIONS])
def left(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Mapping[str, list[Row]]]:
    """The data directory of a program, and its requests by case."""
    if not is_ready(request.param):
        pytest.skip(f"{request.param} is not there; `make {request.param}` sets it up, or tells why not")
    home = tmp_path_factory.mktemp("sharing") / "home"
    with LoopbackServer(_answer) as server:
        ended = run_in(request.param, "tests.matrix.sharing_program", server.address, str(home), within=120)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr[-4_000:]
    assert json.loads(ended.stdout)["counters"] == {}
    rows, quarantined = drain(home)
    assert quarantined == 0
    return home, rows


Left = tuple[Path, Mapping[str, list[Row]]]
_CHAT = ("chat", "/chat/completions")


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_copies_with_another_http_client_are_recorded(left: Left, mode: str) -> None:
    """Copies of copies, and Azure's too, until they are unwrapped."""
    assert _told(left[1][f"copies {mode}"]) == [("copied", *_CHAT)] * 4


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_clients_that_share_an_http_client_are_told_apart(left: Left, mode: str) -> None:
    """Each has its own name, and contents are kept of the one that said so."""
    home, rows = left
    services = [service for service, *_ in _told(rows[f"shared {mode}"])]
    texts = [path.read_text() for path in (home / "content").iterdir()]
    kept = {row["service"] for row in rows[f"shared {mode}"] if any(row["record_id"].hex in text for text in texts)}

    assert services == ["first", "second", "second", "second", "first"]
    assert kept == {"first"}


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_what_a_program_asks_itself_is_not_recorded(left: Left, mode: str) -> None:
    """Unless it asks the API; where the SDK is sent on, that is recorded."""
    assert _told(left[1][f"own {mode}"]) == [
        ("own", *_CHAT),
        ("own", "embeddings", "/embeddings"),
        ("own", "moved", "/moved"),
        ("own", "elsewhere", "/elsewhere/{id}"),
    ]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_path_of_a_base_url_is_nowhere(left: Left, mode: str) -> None:
    """It may be an account or a secret; the endpoint is what comes behind it."""
    home, rows = left
    found = [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]

    assert _told(rows[f"paths {mode}"]) == [(None, "pieces", "/pieces/{id}"), (None, *_CHAT)] * 2
    assert found == []
