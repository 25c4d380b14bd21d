"""The tests that the SDK brings along end the same whether its clients are watched or not."""

import re
from pathlib import Path

import pytest

from tests.matrix.matrix import ROOT, is_ready
from tests.matrix.own_tests import Ended, fetched, run_tests

pytestmark = pytest.mark.torture

_MANY = 400
_EXPLAINED = {
    "test_retrying_(timeout|status)_errors_doesnt_leak": "asks for the transport's class, to count its connections",
    "x509_workload_identity.*(does_not_mutate|preserves_mounted)": "asks whether the transport is the one it gave",
    r"test_request_errors_are_wrapped\[httpx2?-": "asks whether the error names the request that its transport got;"
    " that one is a copy, which asks for the usage",
    "test_stream_moderation": "its server tells the usage unasked, which is what the wrapper hides",
}
_FAKES = "websocket|test_azure_auth"
"""Tests whose sockets are made up and lack what a socket has."""


def _differing(one: Ended, other: Ended) -> set[str]:
    return {name for name in {**one.outcomes, **other.outcomes} if one.outcomes.get(name) != other.outcomes.get(name)}


@pytest.mark.parametrize("environment", [".venv-suite-1", ".venv-suite-2", ".venv-suite-3"])
def test_the_sdks_own_tests_pass_as_unwatched(environment: str, tmp_path: Path) -> None:
    """Each test ends as without us, but for those that look at what lies below the client; our code meets no fault."""
    if not is_ready(environment):
        pytest.skip(f"{environment} is not there; `make {environment}` sets it up, or tells why not")
    lock = ROOT / "requirements" / f"{environment.removeprefix('.venv-')}.txt"
    source = fetched(environment, lock, tmp_path)
    plain = run_tests(environment, source, tmp_path / "plain", is_watched=False)
    watched = run_tests(environment, source, tmp_path / "watched", is_watched=True)
    assert list(plain.outcomes.values()).count("passed") > _MANY
    assert [name for name in watched.faulty if not re.search(_FAKES, name)] == []
    unexplained = sorted(
        name for name in _differing(plain, watched) if not any(re.search(pattern, name) for pattern in _EXPLAINED)
    )
    if unexplained:
        # Some have deadlines of their own, which a busy machine misses; those do not differ twice.
        plain = run_tests(environment, source, tmp_path / "again", is_watched=False, only=unexplained)
        watched = run_tests(environment, source, tmp_path / "watched again", is_watched=True, only=unexplained)
        unexplained = sorted(_differing(plain, watched))

    assert {name: watched.told.get(name) for name in unexplained} == {}
