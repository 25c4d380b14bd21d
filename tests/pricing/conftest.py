"""What the tests of prices share."""

from collections.abc import Iterator

import pytest

from tests.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all tests of a file, by the installed prices."""
    with World(tmp_path_factory.mktemp("shared")) as world:
        yield world
