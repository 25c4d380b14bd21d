"""What the tests of the ledger share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all tests of a file, each of which looks only at what it stored itself."""
    with World(tmp_path_factory.mktemp("shared")) as world:
        yield world
