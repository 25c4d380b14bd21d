"""Options of the test run."""

import signal

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing on a machine that has other work.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Let Ctrl-C be tested in the background, too: there a shell has all programs ignore it, and what they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills", type=int, default=100, help="How many processes each torture campaign kills (default: 100)."
    )
    parser.addoption(
        "--calls", type=int, default=100_000, help="How many calls look for a leak, in each way (default: 100000)."
    )
    parser.addoption(
        "--forks", type=int, default=1_000, help="How many children are forked, in each way (default: 1000)."
    )
    parser.addoption(
        "--mutations", type=int, default=10_000, help="How many damages a segment suffers (default: 10000)."
    )


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How many processes a torture campaign kills."""
    return int(request.config.getoption("--kills"))


@pytest.fixture
def calls(request: pytest.FixtureRequest) -> int:
    """How many calls look for a leak."""
    return int(request.config.getoption("--calls"))


@pytest.fixture
def forks(request: pytest.FixtureRequest) -> int:
    """How many children are forked."""
    return int(request.config.getoption("--forks"))


@pytest.fixture
def mutations(request: pytest.FixtureRequest) -> int:
    """How many damages a segment suffers."""
    return int(request.config.getoption("--mutations"))
