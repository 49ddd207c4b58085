"""One HTML file with a card to print for each student: address, name, seed, and the way there from elsewhere."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from labctl.config.paths import ROOT
from labctl.terminal.errors import LabError
from labctl.workshop.classroom.roster import Roster

_TEMPLATES = Path(__file__).parent / "templates"


def write_cards(roster: Roster, file: Path, server: str) -> None:
    """Write the cards.

    :param server: what students call this machine, as in `ssh USER@SERVER`
    :raises LabError: the file cannot be written
    """
    try:
        file.write_text(page(roster, server), encoding="utf-8")
    except OSError as error:
        raise LabError(f"{file} cannot be written: {error.strerror}", hint="--output class.html") from error


def page(roster: Roster, server: str) -> str:
    """The HTML: a card for each student; it needs no other file."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("cards.html.j2").render(
        project=roster.project,
        pairs=roster.pairs,
        root=ROOT,
        server=server,
        cards=[
            {
                "student": student,
                "script": roster.script(student).relative_to(ROOT),
                "page": student.environment["LAB_PAGE_PORT"],
                "prometheus": student.environment["LAB_PROMETHEUS_PORT"],
                "keys": {
                    name.removeprefix("LAB_").removesuffix("_KEY").lower(): f"{int(value):#x}"
                    for name, value in student.environment.items()
                    if name.endswith("_KEY")
                },
                "user": student.environment["LAB_UID"],
            }
            for student in roster.students
        ],
    )
