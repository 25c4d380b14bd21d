"""The kinds of material that can be imported; a new one is a line here."""

from pathlib import Path
from typing import Final

from collectors.burstgpt import BURSTGPT
from collectors.material import Format
from collectors.mooncake import MOONCAKE_LINES, MOONCAKE_PARQUET
from monitor.errors import CollectorError

TRACES: Final = (MOONCAKE_PARQUET, MOONCAKE_LINES, BURSTGPT)
"""Traces of usage: a row a request."""

AUTO: Final = "auto"


def names() -> list[str]:
    """What can be asked for."""
    return [AUTO, *dict.fromkeys(known.name for known in TRACES)]


def format_of(path: Path, name: str = AUTO) -> Format:
    """The format of a file, of those with this name.

    Raises:
        CollectorError: no format has this name; the file cannot be read or is empty; or it is of none of the formats,
            and the text says what it lacks for each.
    """
    if name not in names():
        raise CollectorError(f"There is no format {name!r}; there are {', '.join(names())}.")
    reasons = []
    try:
        if not path.stat().st_size:
            raise CollectorError(f"The file {path} is empty.")
        for known in TRACES:
            if name in {AUTO, known.name}:
                reason = known.differs(path)
                if reason is None:
                    return known
                reasons.append(f"{known.title}: {reason}.")
    except OSError as error:
        raise CollectorError(f"The file {path} cannot be read: {error.strerror}.") from error
    raise CollectorError("\n".join([f"The file {path} is of no format that is known here.", *reasons]))
