"""Options of the test run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills", type=int, default=100, help="How many processes each torture campaign kills (default: 100)."
    )


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How many processes a torture campaign kills."""
    return int(request.config.getoption("--kills"))
