"""An exercise as its folder tells it: facts in `exercise.toml`, English texts beside them, a translation in a file.

A folder is `NN_topic`. docs/ADDING_AN_EXERCISE.md has a complete example.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labctl.config.values import refuse, shown
from labctl.terminal.errors import LabError
from labctl.workshop.exercise.language import EXERCISES, Language

_FOLDER = re.compile(r"([0-9]{2})_[a-z0-9_]+")
AUDIENCES = ("beginner", "intermediate", "advanced")
KINDS = ("choice", "number", "text")
ASKED = ("start", "check")
# The sections of README.md, in their order, in each language.
SECTIONS = {
    Language.ENGLISH: ("Predict", "Do", "Why", "Take home"),
    Language.KOREAN: ("예측", "실행", "이유", "더 생각하기"),
}
PREDICT, DO, WHY, TAKE_HOME = range(4)
# The first line of "Why" in README.md, for who reads on below the steps; no command shows it.
ANSWER_FOLLOWS = {
    Language.ENGLISH: "> What follows tells the answer. Solve the exercise first.",
    Language.KOREAN: "> 아래에는 답이 있습니다. 연습을 먼저 풀어 봅니다.",
}


@dataclass(frozen=True)
class Question:
    """What the student is asked, mostly before the first step."""

    key: str
    kind: str  # one of KINDS
    choices: tuple[str, ...] = ()
    ask: str = "start"  # one of ASKED: a mystery's questions are asked by its check


@dataclass(frozen=True)
class Choices:
    """A value of each student: one of some words."""

    words: tuple[str, ...]
    secret: bool = False  # a fault to be found, which no command shows


@dataclass(frozen=True)
class Numbers:
    """A value of each student: a number of a range, both ends included."""

    first: int
    last: int
    step: int


@dataclass(frozen=True)
class Panel:
    """Where Grafana shows what the exercise is about."""

    dashboard: str
    title: str


@dataclass(frozen=True)
class Writing:
    """A "write it yourself" exercise: which end of which pair the student's file becomes."""

    role: str  # producer or consumer
    mechanism: str
    starter: Path


@dataclass(frozen=True)
class Texts:
    """The texts of an exercise in one language."""

    title: str
    goal: str
    hints: tuple[str, ...]
    questions: Mapping[str, str]
    says: Mapping[str, str]


@dataclass(frozen=True)
class Exercise:
    """The facts of one folder."""

    folder: Path
    number: int
    minutes: int
    audience: str
    pairs: tuple[str, ...]
    claims: tuple[str, ...]
    guess: tuple[Question, ...]
    values: Mapping[str, Choices | Numbers]
    panel: Panel | None
    writing: Writing | None
    probes: bool = False  # whether its steps look at `./lab matrix`

    def script(self, name: str) -> Path | None:
        """A script of the exercise itself: `setup` runs at its start, `cleanup` at its reset. None: there is none."""
        file = self.folder / name / "apply.sh"
        return file if file.is_file() else None

    def shown(self, values: Mapping[str, str | int]) -> dict[str, str | int]:
        """The student's values without those to be found out."""
        secret = {name for name, value in self.values.items() if isinstance(value, Choices) and value.secret}
        return {name: value for name, value in values.items() if name not in secret}

    @property
    def name(self) -> str:
        """Its folder's name: what the progress file and the labels of containers know it by."""
        return self.folder.name

    def texts(self, language: Language) -> Texts:
        """Its texts.

        :raises LabError: the file lacks one
        """
        file = language.file(self.folder / "exercise.toml")
        found = _toml(file)
        try:
            # In English the questions stand beside their kinds, in a translation alone.
            questions = {
                key: question["question"] if isinstance(question, dict) else question
                for key, question in found.get("guess", {}).items()
            }
            return Texts(found["title"], found["goal"], tuple(found["hints"]), questions, dict(found.get("says", {})))
        except (KeyError, TypeError) as error:
            raise _broken(file, error) from error

    def readme(self, language: Language) -> Path:
        """Its page."""
        return language.file(self.folder / "README.md")

    def section(self, language: Language, which: int) -> str:
        """The text of one section of its page, without the heading and the warning that the answer follows.

        :raises LabError: the page has no such section
        """
        heading = SECTIONS[language][which]
        page = self.readme(language)
        found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page.read_text(encoding="utf-8"), re.M | re.S)
        if not found:
            raise _broken(page, f"no section {heading!r}")
        return found[1].strip().removeprefix(ANSWER_FOLLOWS[language]).lstrip()


def load(folder: Path) -> Exercise:
    """The exercise of a folder.

    :raises LabError: its file is missing or lacks something
    """
    file = folder / "exercise.toml"
    found = _toml(file)
    try:
        writing = None
        if "student" in found:
            writing = Writing(found["student"], found["mechanism"], folder / found["starter"])
        return Exercise(
            folder=folder,
            number=int(folder.name[:2]),
            minutes=int(found["minutes"]),
            audience=found["audience"],
            pairs=tuple(found["pairs"]),
            claims=tuple(found["claims"]),
            guess=tuple(
                Question(key, question["kind"], tuple(question.get("choices", ())), question.get("ask", "start"))
                for key, question in found.get("guess", {}).items()
            ),
            values={name: _value(value) for name, value in found.get("values", {}).items()},
            panel=Panel(**found["panel"]) if "panel" in found else None,
            writing=writing,
            probes=bool(found.get("probes", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(file, error) from error


def every(root: Path = EXERCISES) -> list[Exercise]:
    """All of them, by number."""
    folders = [folder for folder in root.iterdir() if folder.is_dir() and _FOLDER.fullmatch(folder.name)]
    return [load(folder) for folder in sorted(folders)]


def find(text: str, root: Path = EXERCISES) -> Exercise:
    """The exercise of a number, as the user typed it.

    :raises BadInput: there is none of that number
    """
    numbers = {folder.name[:2]: folder for folder in root.iterdir() if _FOLDER.fullmatch(folder.name)}
    folder = numbers.get(text.zfill(2)) if text.isdecimal() and text.isascii() else None
    if folder is None:
        known = ", ".join(str(int(number)) for number in sorted(numbers))
        raise refuse(f"NUMBER {shown(text)}", expected=f"one of {known}", hint="./lab exercise list")
    return load(folder)


def _value(found: Mapping[str, Any]) -> Choices | Numbers:
    if "choices" in found:
        return Choices(tuple(found["choices"]), found.get("secret", False))
    return Numbers(found["from"], found["to"], found.get("step", 1))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(file, error) from error


def _broken(file: Path, why: object) -> LabError:
    if isinstance(why, KeyError):
        why = f"{why} is missing"
    return LabError(f"{file} is no part of an exercise: {why}", hint="docs/ADDING_AN_EXERCISE.md shows a whole one")
