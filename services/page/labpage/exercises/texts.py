"""The texts of the exercises in a language, from the files that `./lab exercise` reads too."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labpage.panels.files import dashboards, folder
from labpage.panels.text import rendered

_WHY = 3  # the section behind those that say what to predict and to do
_ANSWER_FOLLOWS = re.compile(r"\n> .*\n")  # its first line warns readers of the file; the page shows the section folded


@dataclass(frozen=True)
class Text:
    """One exercise. The HTML before `after` is for everybody, `after` is for those who have solved it.

    `hints` are all of them; `panel` is the live panel that matters, as DASHBOARD.NUMBER.
    """

    name: str
    number: int
    title: str
    goal: str
    minutes: int
    audience: str
    pairs: Sequence[str]
    before: str
    after: str
    hints: Sequence[str]
    panel: str | None


@cache
def all_texts(language: str) -> tuple[Text, ...]:
    """Every exercise in the order of its number.

    :raises OSError, KeyError, tomllib.TOMLDecodeError: a folder is not whole; tests/unit/exercises holds them
    """
    folders = sorted(path.parent for path in folder("exercises").glob("*/exercise.toml"))
    return tuple(_read(path, language) for path in folders)


def _read(path: Path, language: str) -> Text:
    facts = tomllib.loads((path / "exercise.toml").read_text(encoding="utf-8"))
    suffix = "" if language == "en" else f".{language}"
    words = facts if not suffix else tomllib.loads((path / f"exercise{suffix}.toml").read_text(encoding="utf-8"))
    readme = (path / f"README{suffix}.md").read_text(encoding="utf-8")
    introduction, *sections = readme.split("\n## ")
    sections[_WHY - 1] = _ANSWER_FOLLOWS.sub("", sections[_WHY - 1], count=1)
    parts = [introduction.partition("\n")[2], *(f"### {section}" for section in sections)]
    return Text(
        name=path.name,
        number=int(path.name[:2]),
        title=words["title"],
        goal=rendered(words["goal"]),
        minutes=facts["minutes"],
        audience=facts["audience"],
        pairs=facts["pairs"],
        before=rendered("\n\n".join(parts[:_WHY])),
        after=rendered("\n\n".join(parts[_WHY:])),
        hints=[rendered(hint) for hint in words["hints"]],
        panel=_panel(facts.get("panel")),
    )


def _panel(named: dict[str, str] | None) -> str | None:
    if named is None:
        return None
    board = dashboards()[named["dashboard"]]
    number = next(panel.number for panel in board.panels if panel.title == named["title"])
    return f"{board.name}.{number}"
