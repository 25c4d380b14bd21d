"""Tables as HTML: figures aligned, text that can be selected, no scroll bar inside a scroll bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard.theme import MAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `fit` is `right` for figures, `wrap` for sentences, `cut` for names that may be long.

    `cut front` is for those that tell most at their end, as places in the code do.
    """

    label: str
    fit: str = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in a cell; `tone` is `bad`, `good`, `near`, `muted` or `code`, `title` is shown on pointing at it.

    `link` is where a click on it leads, an address of ours.
    """

    text: str
    tone: str = ""
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A cell with a bar as long as the share, which is from 0 to 1."""

    share: float
    text: str


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell | Bar | str]]) -> str:
    """The HTML of a table; all texts are escaped."""
    head = "".join(f'<th class="{column.fit}">{escape(column.label)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(_cell(column, cell) for column, cell in zip(columns, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<table class="om"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(column: Column, cell: Cell | Bar | str) -> str:
    if isinstance(cell, Bar):
        bar = f'<div class="om-bar"><span style="width:{cell.share:.1%};background:{MAIN}"></span></div>'
        return f'<td><div class="share">{bar}<b>{escape(cell.text)}</b></div></td>'
    if isinstance(cell, str):
        cell = Cell(text=cell)
    title = cell.title or (cell.text if column.fit.startswith("cut") else "")
    text = _unbroken(cell.text) if cell.tone == "code" else escape(cell.text)
    shown = f'<span class="om-{cell.tone}">{text}</span>' if cell.tone else text
    if cell.link:
        shown = f'<a href="{escape(cell.link)}" target="_self">{shown}</a>'
    if column.fit == "cut front":
        # The cell is laid out from right to left, for that is how its front is cut; the text in it is not.
        shown = f"<bdi>{shown}</bdi>"
    return f'<td class="{column.fit}" title="{escape(title)}">{shown}</td>'


def _unbroken(command: str) -> str:
    """The HTML of a command whose lines break between words, not after the hyphens of its options."""
    return " ".join(f'<span class="om-word">{escape(word)}</span>' for word in command.split(" "))
