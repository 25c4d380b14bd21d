"""Fixtures of the tests of capture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import monitor
from tests.capture.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "home")


@pytest.fixture
def own_classes() -> Iterator[None]:
    """Leaves the SDK's classes as they were."""
    yield
    monitor.uninstrument()
