"""What a mechanism says of itself, as a list in one line of HTML: a variable's value holds no line break."""

from __future__ import annotations

import importlib
import re
from html import escape

from ipclab import mechanisms as package
from labctl.commands import mechanisms

# What stands between an option's text and its value; it must not be in either.
SEPARATOR = " : "
_LAB = "(lab) is the lab's way of using it: ./lab mechanisms NAME says what the kernel alone gives"


def of(name: str) -> str:
    """The first sentence of its file, a list of its `Traits` as `./lab mechanisms` words them, and the man page."""
    row = next(row for row in mechanisms.rows() if row.name == name)
    first_sentence = re.match(r".*?\.(?=\s)", _docstring(name), re.DOTALL)
    what = " ".join(first_sentence[0].split()) if first_sentence else name
    cells = {heading: cell(row) for heading, cell in mechanisms.COLUMNS.items() if heading not in ("pair", "man page")}
    cells["errors of sending"] = mechanisms.ERRNOS(row)
    said = [f"{heading}: <b>{escape(cell.rstrip('*'))}</b>{_whose(cell)}" for heading, cell in cells.items()]
    said.append(f"man page: {man_page(row.traits.man_page)}")
    items = "".join(f"<li>{fact}</li>" for fact in said)
    return f"<p>{escape(what)}</p><ul>{items}</ul><p>{escape(_LAB)}</p>".replace(SEPARATOR, ": ")


def _whose(cell: str) -> str:
    return " (lab)" if cell.endswith("*") else ""


def _docstring(name: str) -> str:
    return importlib.import_module(f"{package.__name__}.{name}").__doc__ or ""


def man_page(page: str) -> str:
    """A link to "name(section)"."""
    found = re.fullmatch(r"(\w+)\((\d)\)", page)
    if found is None:
        return page
    name, section = found.groups()
    return f'<a href="https://man7.org/linux/man-pages/man{section}/{name}.{section}.html">{page}</a>'
