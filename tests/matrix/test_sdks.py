"""Every generation of the SDK: a watched program sees what an unwatched one sees, and the ledger says what was sent."""

import functools
from pathlib import Path

import pytest

from tests.matrix.cases import Case, every_case, some_cases
from tests.matrix.matrix import Outcome, is_ready, run_matrix

OLDEST = ".venv-openai-1-oldest"
GENERATIONS = (".venv-openai-1", ".venv-openai-2", ".venv-openai-3")

_LACKS = {
    OLDEST: {"httpx2 is not installed", "this openai has no client of aiohttp", "this openai has no responses.create"},
    ".venv-openai-1": {"httpx2 is not installed"},
    ".venv-openai-2": set(),
    ".venv-openai-3": set(),
}
_A_CALL = 0.1
_START = 120.0

_few = functools.cache(some_cases)


def _run(environment: str, cases: list[Case], home: Path) -> Outcome:
    if not is_ready(environment):
        pytest.skip(f"{environment} is not there; `make {environment}` sets it up, or tells why not")
    return run_matrix(environment, cases, home, within=_START + len(cases) * _A_CALL)


def _assert_right(outcome: Outcome, environment: str, cases: list[Case]) -> None:
    seen = [case for case in cases if case.name in outcome.facts["seen"]]

    assert [fault for case in seen for fault in outcome.faults(case)] == []
    assert set(outcome.facts["missing"].values()) == _LACKS[environment]
    assert outcome.facts["counters"] == {}
    assert outcome.quarantined == 0
    assert len(seen) > len(cases) / 2


@pytest.mark.parametrize("environment", GENERATIONS)
def test_any_two_ways_to_call_go_together(environment: str, tmp_path: Path) -> None:
    """Few calls, in which any two values of the dimensions meet: the same for the program, exact in the ledger."""
    _assert_right(_run(environment, _few(), tmp_path / "home"), environment, _few())


@pytest.mark.torture
@pytest.mark.parametrize("environment", [OLDEST, *GENERATIONS])
def test_all_ways_to_call_go_together(environment: str, tmp_path: Path) -> None:
    """The same for every combination, and for the oldest SDK too."""
    cases = every_case()
    _assert_right(_run(environment, cases, tmp_path / "home"), environment, cases)
