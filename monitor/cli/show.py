"""`monitor show`: all that is known of one request, and its prompt and answer where they are kept."""

import json
import sys
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from monitor.cli.asking import ask_for
from monitor.cli.context import console, load_settings
from monitor.errors import LedgerError

_KEPT: Final = "\n\t"


def show(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A record id, call id, response id (resp_…) or request id (req_…).")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """All that is known of a request; prompt and answer too, where the setting content keeps them."""
    found = ask_for(load_settings(), name)
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    if not found:
        raise LedgerError(
            f"No request with the id {name!r} is recorded. Give the id of a response, such as response.id or "
            "response._request_id, or a record_id; a request that is still running is not shown."
        )
    for place, row in enumerate(found):
        _print(row, is_first=place == 0)


def _print(row: dict[str, Any], *, is_first: bool) -> None:
    if not is_first:
        console().print()
    content, sightings = row.pop("content"), row.pop("sightings")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for field, value in row.items():
        if value is not None:
            table.add_row(field, Text(_printable(value if isinstance(value, str) else json.dumps(value))))
    console().print(table)
    for item in sightings:
        seen = f"also seen by {item['source']} as {item['seen_record_id']} (the same {item['matched_by']})"
        console().print(seen, style="dim")
    if content is not None:
        _print_content(content)


def _print_content(content: dict[str, Any]) -> None:
    for part in ("request", "answer"):
        if content[part] is not None:
            console().print(f"\n{part}", style="bold")
            console().print(Text(_printable(_indented(content[part]))))
    if content["is_cut"]:
        console().print("\nMore than content_limit is not kept. An answer that broke off has no end.", style="dim")


def _indented(text: str) -> str:
    """JSON with line breaks; what is none, or was cut, as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _printable(text: str) -> str:
    """The text without what steers a terminal: an answer can hold anything."""
    return "".join(
        letter if letter.isprintable() or letter in _KEPT else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
