"""The table of all labs of a class as one HTML file, with a link to the page of each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from labctl.terminal.errors import LabError
from labctl.workshop.classroom.overview import HEADINGS, Row

_TEMPLATES = Path(__file__).parent / "templates"


def write(file: Path, project: str, rows: Sequence[Row], every_s: int | None) -> None:
    """Replace the file; a browser sees the old one or the new one (rename(2)).

    :param every_s: how often it is written again, None for once
    :raises LabError: it cannot be written
    """
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(page(project, rows, every_s), encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        raise LabError(f"{file} cannot be written: {error.strerror}", hint="--output overview.html") from error
    finally:
        unfinished.unlink(missing_ok=True)


def keep_writing(file: Path, project: str, read: Callable[[], Sequence[Row]], every_s: int) -> None:
    """Write it again and again, until Ctrl-C.

    :raises LabError: it cannot be written, or the engine does not answer
    """
    try:
        while True:
            began = time.monotonic()
            write(file, project, read(), every_s)
            time.sleep(max(0.0, every_s - (time.monotonic() - began)))
    except KeyboardInterrupt:
        return


def page(project: str, rows: Sequence[Row], every_s: int | None) -> str:
    """The HTML; it needs no other file."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("overview.html.j2").render(
        project=project,
        rows=rows,
        running=sum(bool(row.running) for row in rows),
        headings=[heading.replace("\n", " ") for heading in HEADINGS],
        every_s=every_s,
        at=time.strftime("%Y-%m-%d %H:%M:%S"),
    )
