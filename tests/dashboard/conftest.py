from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.world import World, small_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty store that the pages read from."""
    with small_world(tmp_path) as made:
        yield made
