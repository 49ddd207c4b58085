"""How tables, lines and numbers reach stdout. Knows nothing of what is in them, and loads nothing but rich."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

_PIPED_WIDTH = 110  # wide enough for every column: a pipe has no edge to keep to
_READABLE_WIDTH = 100  # of text; a longer line is hard to follow
_MILLION = 1_000_000
_NO_EDGE = 10_000  # columns: what a table measures when nothing makes it narrow


def width() -> int:
    """Columns of the terminal; of a pipe, as many as the widest table has."""
    return Console().width if sys.stdout.isatty() else _PIPED_WIDTH


def new_table(gap: int = 2) -> Table:
    """A table without columns, in the one style that there is, with so many blanks between columns."""
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))


def show_table(table: Table, *, ends_blank: bool = True) -> None:
    """Print it, in pieces where it is wider than the terminal, without the blanks that pad a table's lines.

    :param ends_blank: with a blank line below the last piece, too
    """
    found = pieces(table, width())
    for piece in found:
        console = Console(width=max(width(), least_width(piece)))
        with console.capture() as capture:
            console.print(piece)
        show_verbatim([line.rstrip() for line in capture.get().strip("\n").splitlines() if line.strip()])
        if ends_blank or piece is not found[-1]:
            sys.stdout.write("\n")


def pieces(table: Table, columns: int) -> list[Table]:
    """The table as tables of at most `columns` columns of text, each with the first column: no cell loses its unit."""
    first, *rest = table.columns
    chosen: list[list[Column]] = [[first]]
    for column in rest:
        wider = [*chosen[-1], column]
        if len(wider) > 2 and least_width(_piece(table, wider)) > columns:
            chosen.append([first, column])
        else:
            chosen[-1] = wider
    return [table] if len(chosen) == 1 else [_piece(table, some) for some in chosen]


def least_width(table: Table) -> int:
    """Columns of text that the table needs when everything that may wrap is wrapped, and nothing is cut."""
    console = Console(width=_NO_EDGE)
    widths = []
    for column in table.columns:
        cells = [Measurement.get(console, console.options, cell) for cell in (column.header, *column.cells)]
        widths.append(max(cell.maximum if column.no_wrap else cell.minimum for cell in cells))
    return sum(widths) + (len(widths) - 1) * (1 + table.padding[1])


def show_text(text: str) -> None:
    """A paragraph, wrapped to the width."""
    show_verbatim(_wrapped(" ".join(text.split()), width()))


def show_lines(lines: Sequence[str]) -> None:
    """Lines; on a terminal, what is too long for it goes on below, between two words."""
    for line in lines:
        show_verbatim(_wrapped(line, width()) if sys.stdout.isatty() and len(line) > width() else [line])


def show_verbatim(lines: Sequence[str]) -> None:
    """Lines as they are, never wrapped."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def show_markdown(text: str) -> None:
    """A text in Markdown: set for a terminal, with its code apart; as it is where a program reads it."""
    if not sys.stdout.isatty():
        show_verbatim(text.splitlines())
        return
    from rich.markdown import Markdown  # it takes longer to load than all the rest

    console = Console(width=min(width(), _READABLE_WIDTH))
    console.print(Markdown(text, hyperlinks=False))


def size(size_bytes: int) -> str:
    """Exactly `size_bytes`, in the largest unit that leaves a whole number."""
    for unit, factor in (("MiB", 2**20), ("KiB", 2**10)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor:,} {unit}"
    return f"{size_bytes:,} B"


def count(value: float | None) -> str:
    """Exactly, below a million; three digits of it above, which `--json` has in full."""
    if value is None:
        return "-"
    for unit, factor in (("G", _MILLION * 1000), ("M", _MILLION)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:,.0f}"


def counted(number: int, noun: str) -> str:
    """`1 volume`, `2 volumes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ratio(value: float | None) -> str:
    """A number of things for one message: two digits after the point below one, one above."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}"


def _wrapped(line: str, columns: int) -> list[str]:
    """The line in as many as it needs, each indented as the first; words stay whole."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _piece(table: Table, columns: Sequence[Column]) -> Table:
    piece = new_table()
    piece.padding = table.padding
    for column in columns:
        piece.add_column(
            column.header,
            justify=column.justify,
            no_wrap=column.no_wrap,
            overflow=column.overflow,
            min_width=column.min_width,
        )
    for row, cells in zip(table.rows, zip(*(column.cells for column in columns), strict=True), strict=True):
        piece.add_row(*cells, style=row.style)
    return piece


def duration(seconds: float | None) -> str:
    """With the unit that leaves one to three digits before the point."""
    if seconds is None:
        return "-"
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            value = seconds * factor
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{seconds:.2f} s"


def in_time(seconds: float) -> str:
    """Minutes and seconds that are left, as a person says them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def one_line(said: object, limit: int = 300) -> str:
    """An error, or what a program printed, as one line of at most `limit` characters.

    Of an error of the engine: its own words, without the HTTP around them. Of a program's output (bytes): its end,
    because the reason comes last.
    """
    if isinstance(said, bytes):
        return " ".join(said.decode(errors="replace").split())[-limit:]
    text = getattr(said, "explanation", None) or said  # an APIError's; the SDK takes long to import
    return " ".join(str(text).split())[:limit]
