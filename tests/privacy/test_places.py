"""Where a call was made is told without the name of whoever made it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = "from monitor.capture.call_sites import _short; import sys; print(_short(sys.argv[1]))"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("{home}/script.py", "script.py"),
        ("{home}/app/script.py", "app/script.py"),
        ("{home}/code/shop/search/script.py", "shop/search/script.py"),
        ("{folder}/shop/script.py", "shop/script.py"),
        ("/srv/app/shop/script.py", "app/shop/script.py"),
    ],
)
def test_the_users_own_directory_is_no_part_of_a_place(tmp_path: Path, path: str, told: str) -> None:
    """Relative to where the program runs, else the last parts below it."""
    home, folder = tmp_path / "users" / "alice", tmp_path / "folder"
    home.mkdir(parents=True)
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, path.format(home=home, folder=folder)],
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.strip() == told
