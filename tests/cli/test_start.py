"""What every command waits for."""

import subprocess
import sys

_PROGRAM = """
import sys
import monitor.cli.entry
print(sorted({"pandas", "streamlit", "plotly"} & set(sys.modules)))
"""


def test_no_command_waits_for_what_the_pages_need() -> None:
    """Nor for pandas, which Arrow loads with the first value that is made for it."""
    found = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
