"""The composed samples of the wire: same results for the program, and a true record."""

from typing import Any

import pytest

from tests.capture.samples import FOLDER, read_samples
from tests.capture.world import World
from tests.cassettes.material import Library, Row
from tests.cassettes.replay import replay, unwatched, wrapped
from tests.cassettes.server import LoopbackServer

pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the samples are not in ../shared/facts/samples"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_COMPARED = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "cache_read_input_tokens",
    "reasoning_tokens": "reasoning_output_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "response_id": "response_id",
    "code": "error_code",
    "error_code": "error_code",
    "error_type": "error_type",
}

_EXPLAINED = {
    "batches-output": "the lines of a batch are requests of their own; a collector reads them",
    "evals-run": "its usage stands by model; the Usage API brings it",
    "images-generations-dall-e-2-default": "neither request nor answer names a model: unknown",
    "images-variations-dall-e-2": "neither request nor answer names a model: unknown",
    "threads-runs-failed": "the run failed, not the request that reads it",
}


def test_every_sample_looks_the_same_and_is_recorded(world: World) -> None:
    """All samples that are one request: the caller gets the same, and the record agrees with the sample."""
    rows = read_samples()
    with LoopbackServer(Library(rows).answer) as server:
        watched = replay(rows, server.address, wrapped(world.settings))
        plain = replay(rows, server.address, unwatched)
    ends = {end["tags"]["cassette"]: end for end in world.ends()}

    assert {row.source for row in rows if watched[row.id] != plain[row.id]} == set()
    assert {row.source for row in rows if row.id not in ends} == set()
    assert [fault for row in rows if row.source not in _EXPLAINED for fault in _faults(row, ends[row.id])] == []
    assert {row.source for row in rows if _faults(row, ends[row.id])} == set(_EXPLAINED)


def _faults(row: Row, end: dict[str, Any]) -> list[str]:
    expected = row.expected
    faults = [
        f"{row.source} {ours}: {expected[theirs]!r}, not {end.get(ours)!r}"
        for theirs, ours in _COMPARED.items()
        if theirs in expected and end.get(ours) != expected[theirs]
    ]
    model = end.get("response_model") or end.get("request_model")
    if "model" in expected and model != expected["model"]:
        faults.append(f"{row.source} model: {expected['model']!r}, not {model!r}")
    return faults
