"""What is in the repository works anywhere: no address of a registry, no path of somebody's machine."""

import re
from pathlib import Path

from tests.architecture.sources import ROOT, project_files

# Put together from parts, because this file is searched too.
_REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("conda", "anaconda", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
)
_OWN_PATHS = tuple(str(path) for path in (ROOT, Path.home()) if len(path.parts) > 2)
_FOREIGN_PATH = re.compile(r"(?<![\w./-])/(?:root|work|opt|tmp/w)/")


def _lines() -> list[tuple[str, str]]:
    found = []
    for path in project_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        name = path.relative_to(ROOT).as_posix()
        lines = content.decode("utf-8", errors="replace").splitlines()
        found += [(f"{name}:{number}", line) for number, line in enumerate(lines, start=1)]
    return found


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the business of the machine that installs them."""
    faults = [where for where, line in _lines() if any(host in line.lower() for host in _REGISTRY_HOSTS)]

    assert faults == []


def test_no_file_names_a_path_of_one_machine() -> None:
    """No file holds a path that exists on the machine of its author only."""
    faults = [
        where for where, line in _lines() if _FOREIGN_PATH.search(line) or any(path in line for path in _OWN_PATHS)
    ]

    assert faults == []
