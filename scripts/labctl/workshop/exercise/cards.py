"""`./lab exercise cards`: one page to print for each exercise, with room for the student's guess."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines
from labctl.workshop.exercise.exercise import DO, PREDICT, SECTIONS, TAKE_HOME, Exercise, every
from labctl.workshop.exercise.language import Language, phrases

_TEMPLATES = Path(__file__).parent / "templates"


def write_cards(file: Path, language: Language) -> None:
    """Write the cards of every exercise into one file, which needs no other file.

    :raises LabError: it cannot be written
    """
    try:
        file.write_text(page(every(), language), encoding="utf-8")
    except OSError as error:
        raise LabError(f"{file} cannot be written: {error.strerror}", hint="--output cards.html") from error
    show_lines([str(file)])


def page(exercises: list[Exercise], language: Language) -> str:
    """The HTML: a card for each exercise, in this order."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"markdown": _html, "line": _line}
    return environment.get_template("cards.html.j2").render(
        cards=[
            {
                "exercise": exercise,
                "texts": exercise.texts(language),
                "values": sorted(name.upper() for name in exercise.shown(dict.fromkeys(exercise.values, ""))),
                "sections": [
                    (SECTIONS[language][which], exercise.section(language, which)) for which in (PREDICT, DO, TAKE_HOME)
                ],
            }
            for exercise in exercises
        ],
        language=language,
        words=phrases(language),
    )


def _line(markdown: str) -> Markup:
    """The same of one line, without a paragraph around it."""
    return Markup(MarkdownIt("commonmark", {"html": False}).renderInline(markdown))


def _html(markdown: str) -> Markup:
    """The HTML of a page's text; a link of the repository leads nowhere on paper, so its words stay."""
    without_links = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", markdown)
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(without_links))
