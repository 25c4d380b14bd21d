"""Damaged files of the spool, by the commands: what is mended counts, and no name is in the way."""

import os
from pathlib import Path

from tests.cli.commands import run, spooled
from tests.factories import make_record

_NAME = os.fsdecode(b"r\xe9cup.ndjson")
_SHOWN = "r\N{REPLACEMENT CHARACTER}cup.ndjson"


def test_a_mended_file_is_read_again(tmp_path: Path) -> None:
    """Then nothing is in quarantine any more, and all of it agrees; the name of the file may be no text."""
    home = spooled(tmp_path, make_record(), make_record())
    (path,) = (home / "spool").iterdir()
    path = path.rename(path.with_name(_NAME))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"input_tokens"', b'"input_TOKENS"', 1))
    listed = run(home, "ledger", "quarantine").stdout
    kept = run(home, "ledger", "retry").stdout
    path.write_bytes(whole)
    mended = run(home, "ledger", "retry").stdout
    checked = run(home, "ledger", "check")

    assert _SHOWN in "".join(listed.split())
    assert "0 lines are stored now, 1 stay in quarantine" in kept
    assert "or a whole copy of it lies on the spool" in kept
    assert mended == "1 lines are stored now, 0 stay in quarantine.\n"
    assert checked.exit_code == 0


def test_a_file_that_is_no_segment_is_named_whatever_its_name_is(tmp_path: Path) -> None:
    """With the bytes of all such files."""
    home = spooled(tmp_path)
    path = home / "spool" / _NAME
    path.write_bytes(b"nothing of ours\n")
    os.utime(path, (0, 0))
    text = " ".join(run(home, "doctor").stdout.split())

    assert f"1 files without a readable header, such as {_SHOWN}, of 16 bytes in all" in text
    assert "0 bytes wait" in text
