"""Says which segment a file is: by its header, or, where that is damaged, by what names the segment again."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from monitor.spool.format import FOOTER, FORMAT_VERSION, SUFFIX, Header, decode_header, is_header
from monitor.spool.rescue import rescue

_HEADER_LIMIT: Final = 64 * 2**10
_FOOTER_LIMIT: Final = 4 * 2**10
_NAME: Final = re.compile(rf"-(\d{{1,18}})-([0-9a-f]{{32}}){re.escape(SUFFIX)}")
_SEGMENT: Final = re.compile("[0-9a-f]{32}")


class _FooterLine(msgspec.Struct, frozen=True):
    kind: str
    segment: str | None = None


def read_header(file: BinaryIO, path: Path, *, is_free: Callable[[], bool]) -> Header | None:
    """The header of a segment; None where it is not there yet, not ours, or of a newer program.

    A file whose header is damaged gets one that says only which segment it is, and is read like any other. The id is
    that of the header: from the footer, where there is one, else from the name. Never another one: what was read
    under the first id would count again.
    """
    line = file.readline(_HEADER_LIMIT)
    if line.endswith(b"\n") and (header := decode_header(line[:-1])) is not None:
        return header
    if not line or not (line.endswith(b"\n") or len(line) == _HEADER_LIMIT or is_free()):
        # The writer is about to write it.
        return None
    found = next(filter(is_header, _lines_at_the_start(file)), None)
    if found is not None:
        return decode_header(found)
    segment = _segment_of_footer(file)
    name = _NAME.search(path.name)
    if segment is None and name is not None:
        segment = name[2]
    return None if segment is None else _made_up(segment, int(name[1]) if name else 0)


def _lines_at_the_start(file: BinaryIO) -> list[bytes]:
    """Intact lines at the start, wherever they stand: the header may have garbage before it."""
    file.seek(0)
    return rescue(file.read(_HEADER_LIMIT))[0]


def _segment_of_footer(file: BinaryIO) -> str | None:
    file.seek(0, os.SEEK_END)
    file.seek(max(file.tell() - _FOOTER_LIMIT, 0))
    for line in rescue(file.read())[0]:
        try:
            footer = msgspec.json.decode(line, type=_FooterLine)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        if footer.kind == FOOTER.decode() and footer.segment and _SEGMENT.fullmatch(footer.segment):
            return footer.segment
    return None


def _made_up(segment: str, pid: int) -> Header:
    return Header(segment=segment, format=FORMAT_VERSION, host="", pid=pid, process_started_at=None, started_at="")
