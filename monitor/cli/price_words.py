"""How prices are written for people: token prices for a million, others for one."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from monitor.cli.context import console
from monitor.pricing.steps import ALWAYS
from monitor.pricing.units import UNITS, is_factor, is_per_million, price_digits

_ONE: Final = {
    "audio_second": "a second",
    "request": "a request",
    "image": "a picture",
    "video_second": "a second",
    "tool": "a call",
    "container": "20 minutes",
    "storage": "a GiB and day",
    "storage_free": "GiB are free",
    "regional": "times the tokens",
    "window": "times the tokens",
}
_NUMBERS: Final = re.compile(r"(\d+)")
_FEES: Final = ("tool:", "container:")


def price_text(unit: str, usd: Decimal | None) -> str:
    """The price as people say it, all digits, at least the cents: `2.50`; a missing one is a dash."""
    if usd is None:
        return "–"
    return price_digits(unit, usd)


def quantity_text(unit: str) -> str:
    """What costs that much: `1M tokens`, `a call`."""
    if is_per_million(unit):
        return "1M characters" if unit == "character" else "1M tokens"
    return _ONE.get(unit.partition(":")[0], unit)


def is_fee(unit: str) -> bool:
    """Whether it is paid beside the work itself, or is a factor of what the work costs."""
    return is_factor(unit) or unit.startswith(_FEES)


def in_order(units: Iterable[str]) -> list[str]:
    """Units as the documentation lists them, fees last."""
    places = {unit: number for number, unit in enumerate(UNITS)}
    return sorted(units, key=lambda unit: (is_fee(unit), places.get(unit, len(places)), _natural(unit)))


def say(text: str, *, indent: str = "") -> None:
    """Print a sentence, broken between words where the screen ends."""
    fill = textwrap.fill(
        text,
        console().width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    typer.echo(fill)


def reprice_command(first_at: datetime) -> str:
    """What shows how stored requests would change, from the minute of the first of them on."""
    return f"  monitor price reprice --since {first_at:%Y-%m-%dT%H:%MZ}"


def free_text(units: Iterable[str]) -> str:
    """One paragraph that names fees that are nothing."""
    names = ", ".join(in_order(unit.partition(":")[2] for unit in units))
    return textwrap.fill(f"free tools: {names}", console().width, initial_indent="  ", subsequent_indent="    ")


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts `4g` before `16g`."""
    return [(int(part) if part.isdigit() else 0, part) for part in _NUMBERS.split(text)]


def span_text(start: datetime | None, end: datetime | None) -> str:
    """`from 2026-11-01 on`, `until 2026-11-01`, `always`; the end is the first day after."""
    begins = start is not None and start.year > _FIRST_YEAR
    if begins and end is not None:
        return f"from {day_text(start)} until {day_text(end)}"
    if begins:
        return f"from {day_text(start)} on"
    return "always" if end is None else f"until {day_text(end)}"


_FIRST_YEAR: Final = 1970


def day_text(moment: datetime | None) -> str:
    """A day, with the time where it is not midnight; UTC."""
    if moment is None:
        return "–"
    return f"{moment:%Y-%m-%d}" if moment.time() == moment.min.time() else f"{moment:%Y-%m-%d %H:%M} UTC"


def size_text(above: int, upto: int | None) -> str:
    """`prompts above 272,000 tokens`; nothing for those of any size."""
    if above == ALWAYS:
        return "" if upto is None else f"prompts up to {upto:,} tokens"
    return f"prompts above {above:,} tokens" if upto is None else f"prompts of {above + 1:,} to {upto:,} tokens"


def print_columns(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> None:
    """A table without frames; columns whose numbers are in `right` stand to the right and are never broken."""
    numbers = set(right)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, head in enumerate(heads):
        is_right = number in numbers
        table.add_column(head, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console().print(table)
