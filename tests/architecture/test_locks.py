"""The locks: exact versions with hashes, for all that `pyproject.toml` asks for, from no particular index."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

_FOLDER = ROOT / "requirements"
_LOCKS = sorted(path.name for path in _FOLDER.glob("*.txt"))
_LOCKED = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; [^\\]+?)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)"
)
_OF_SDKS = ("openai-1-oldest", "openai-1", "openai-2", "openai-3", "suite-1", "suite-2", "suite-3")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def _entries(path: Path) -> list[str]:
    """The requirements of one lock, each joined to one line."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def _versions(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in _entries(_FOLDER / lock):
        match = _LOCKED.fullmatch(entry)
        assert match is not None, f"{lock}: {entry[:80]}"
        found.setdefault(match["name"], set()).add(match["version"])
    return found


def _asked_for() -> dict[str, set[str]]:
    """Which packages each lock must hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    base = _names(project["project"]["dependencies"])
    server = base | _names(project["project"]["optional-dependencies"]["server"])
    build = _names(project["build-system"]["requires"])
    dev = server | build | _names(project["dependency-groups"]["dev"])
    own = {"base.txt": base, "server.txt": server, "build.txt": build, "dev.txt": dev, "lock.txt": {"uv"}}
    own |= {f"{name}.txt": base | _sources(f"{name}.in") for name in _OF_SDKS}
    return own | {"litellm.txt": _sources("litellm.in")}


def _sources(name: str) -> set[str]:
    """What a list of requirements names."""
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return _names([line for line in lines if line and not line.startswith("#")])


def _names(requirements: list[str]) -> set[str]:
    matches = [_NAME.match(requirement) for requirement in requirements]
    return {match[0].lower().replace("_", "-").replace(".", "-") for match in matches if match}


def test_every_lock_is_known() -> None:
    """No lock lies about that nothing checks."""
    assert set(_LOCKS) == set(_asked_for())


@pytest.mark.parametrize("lock", _LOCKS)
def test_every_requirement_is_exact_and_has_hashes(lock: str) -> None:
    """Each entry is `name==version` with at least one hash; no option line, hence no index, stands between them."""
    faults = []
    for entry in _entries(_FOLDER / lock):
        match = _LOCKED.fullmatch(entry)
        if match is None or not match["hashes"]:
            faults.append(entry[:80])

    assert faults == []


@pytest.mark.parametrize("lock", _LOCKS)
def test_no_lock_names_an_address(lock: str) -> None:
    """Not even a comment says where the packages came from."""
    assert "://" not in (_FOLDER / lock).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", _LOCKS)
def test_the_lock_holds_all_that_is_asked_for(lock: str) -> None:
    """A requirement that was added to `pyproject.toml` is locked."""
    assert _asked_for()[lock] - set(_versions(lock)) == set()


@pytest.mark.parametrize("lock", ["base.txt", "server.txt", "build.txt"])
def test_all_locks_agree_with_the_one_that_is_tested(lock: str) -> None:
    """What runs is what was tested."""
    tested = _versions("dev.txt")

    differing = {name for name, versions in _versions(lock).items() if versions != tested.get(name)}

    assert differing == set()


@pytest.mark.parametrize("lock", ["server.txt", "dev.txt"])
def test_duckdb_is_the_version_its_extensions_are_built_for(lock: str) -> None:
    """DuckLake's extension packages load into exactly this version."""
    assert _versions(lock)["duckdb"] == {"1.5.5"}
