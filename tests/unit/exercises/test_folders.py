"""Every exercise is whole: its files, its texts in both languages, and what they name."""

from __future__ import annotations

import json
import re
import shutil
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from labctl.config import compose_file
from labctl.workshop.exercise import exercise, language, student
from labctl.workshop.exercise.exercise import (
    ANSWER_FOLLOWS,
    ASKED,
    AUDIENCES,
    DO,
    KINDS,
    SECTIONS,
    WHY,
    Choices,
    Exercise,
    Numbers,
)
from labctl.workshop.exercise.language import EXERCISES, Language

ROOT = Path(__file__).resolve().parents[3]
ALL = exercise.every()
each = pytest.mark.parametrize("it", ALL, ids=lambda it: it.name)


def commands(page: Path) -> list[str]:
    """The lines of the page's `sh` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line]


def headings(page: Path) -> list[str]:
    """The headings below the title."""
    return re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.M)


def fields(text: str) -> set[str]:
    """The names between braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_numbers_have_no_hole() -> None:
    assert [it.number for it in ALL] == list(range(1, len(ALL) + 1))


@each
def test_the_facts_are_what_they_may_be(it: Exercise) -> None:
    assert it.audience in AUDIENCES
    assert 1 <= it.minutes <= 45
    assert set(it.pairs) <= set(compose_file.declared())
    assert it.pairs
    claims = tomllib.loads((EXERCISES / "claims.toml").read_text(encoding="utf-8"))
    assert it.claims
    assert set(it.claims) <= set(claims)
    assert {question.kind for question in it.guess} <= set(KINDS)
    assert {question.ask for question in it.guess} <= set(ASKED)
    assert all((question.kind == "choice") is bool(question.choices) for question in it.guess)


@each
def test_both_languages_have_the_same_texts(it: Exercise) -> None:
    english, korean = it.texts(Language.ENGLISH), it.texts(Language.KOREAN)
    assert len(english.hints) == len(korean.hints) == 3
    assert list(english.questions) == list(korean.questions) == [question.key for question in it.guess]
    assert list(english.says) == list(korean.says)
    for key, text in english.says.items():
        assert fields(text) == fields(korean.says[key]), key
    assert english.title != korean.title


@each
def test_a_translation_is_in_its_language(it: Exercise) -> None:
    """A text that was forgotten in a translation is English in it."""
    texts = it.texts(Language.KOREAN)
    for text in (texts.title, texts.goal, *texts.hints, *texts.questions.values(), *texts.says.values()):
        assert re.search("[가-힣]", text), text


@each
def test_both_pages_have_the_same_headings_and_commands(it: Exercise) -> None:
    english, korean = (it.readme(lang) for lang in Language)
    assert headings(english) == list(SECTIONS[Language.ENGLISH])
    assert headings(korean) == list(SECTIONS[Language.KOREAN])
    assert commands(english) == commands(korean)
    assert all(re.match(r"(LAB_[A-Z_]+=\S+ )*(\./lab|docker compose) ", command) for command in commands(english))
    for lang, page in ((Language.ENGLISH, english), (Language.KOREAN, korean)):
        assert page.read_text(encoding="utf-8").startswith(f"# {it.number:02} {it.texts(lang).title}\n")
        blocks = [
            len(re.findall(mark, page.read_text(encoding="utf-8"), re.M)) for mark in ("^```", "^- ", "^[0-9]+\\. ")
        ]
        assert blocks == [
            len(re.findall(mark, english.read_text(encoding="utf-8"), re.M)) for mark in ("^```", "^- ", "^[0-9]+\\. ")
        ]


@each
@pytest.mark.parametrize("lang", Language)
def test_the_answer_is_announced_where_a_reader_comes_to_it(it: Exercise, lang: Language) -> None:
    """The page has it right below the steps; a command shows it to who has solved the exercise."""
    page = it.readme(lang).read_text(encoding="utf-8")
    assert page.count(f"## {SECTIONS[lang][WHY]}\n\n{ANSWER_FOLLOWS[lang]}\n\n") == 1
    assert page.count(ANSWER_FOLLOWS[lang]) == 1
    assert not any(">" in it.section(lang, which)[:2] for which in range(len(SECTIONS[lang])))


@each
def test_what_the_check_says_is_in_the_texts_and_nothing_else_is(it: Exercise) -> None:
    said = set(re.findall(r'\bsay\(\s*"(\w+)"', (it.folder / "check.py").read_text(encoding="utf-8")))
    assert said == set(it.texts(Language.ENGLISH).says)


@each
def test_the_panel_is_one_of_the_dashboards_and_the_page_names_it(it: Exercise) -> None:
    assert it.panel, "each exercise names the panel to look at"
    document = json.loads((ROOT / "dashboards" / "json" / f"{it.panel.dashboard}.json").read_text(encoding="utf-8"))
    assert it.panel.title in {panel["title"] for panel in document["panels"]}
    for lang in Language:
        steps = " ".join(it.section(lang, DO).split())
        assert f'"{document["title"]}"' in steps
        assert f'"{it.panel.title}"' in steps


@each
def test_every_value_of_a_student_is_in_the_page_and_can_differ(it: Exercise) -> None:
    page = it.readme(Language.ENGLISH).read_text(encoding="utf-8")
    for name, value in it.values.items():
        if isinstance(value, Choices) and value.secret:
            assert not re.search(rf"\b{name.upper()}\b", page), name
            continue
        assert re.search(rf"\b{name.upper()}\b", page), name
        count = len(range(value.first, value.last + 1, value.step)) if isinstance(value, Numbers) else len(value.words)
        assert count > 1
    if it.values:
        drawn = {tuple(student.draw(it, f"student {number}").values()) for number in range(40)}
        assert len(drawn) > 1


@each
@pytest.mark.parametrize("lang", Language)
def test_no_name_of_a_value_is_left_in_what_a_student_reads(it: Exercise, lang: Language) -> None:
    """In Korean a particle follows a name without a blank."""
    values = it.shown(student.draw(it, "anna"))
    texts = it.texts(lang)
    sections = [it.section(lang, which) for which in range(len(SECTIONS[lang]))]
    for text in (*sections, texts.goal, *texts.hints, *texts.questions.values()):
        filled = student.filled_in(text, values)
        assert not [name for name in values if re.search(rf"(?<![A-Z0-9_]){name.upper()}(?![A-Z0-9_])", filled)]


@each
def test_a_solution_is_there_and_can_be_run(it: Exercise) -> None:
    scripts = sorted(it.folder.glob("*/apply.sh"))
    assert it.folder / "solution" / "apply.sh" in scripts
    for script in scripts:
        assert script.stat().st_mode & 0o111, f"{script} is not executable"
        subprocess.run(["bash", "-n", script], check=True, timeout=30)


@each
def test_what_is_to_be_written_has_a_starter_and_a_wrong_solution_that_looks_right(it: Exercise) -> None:
    if it.writing:
        assert it.writing.starter.is_file()
        assert list(it.folder.glob("wrong*/apply.sh"))


def test_at_least_four_exercises_have_two_solutions() -> None:
    assert sum((it.folder / "solution_2" / "apply.sh").is_file() for it in ALL) >= 4


def test_the_phrases_of_the_commands_are_the_same_in_both_languages() -> None:
    english, korean = (language.phrases(it) for it in Language)
    assert list(english) == list(korean)
    for name, text in english.items():
        assert fields(text) == fields(korean[name]), name


def test_nothing_lies_in_a_folder_that_no_one_reads() -> None:
    folders = {folder.name for folder in EXERCISES.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    assert folders - {"examples"} == {it.name for it in ALL}


@pytest.mark.timeout(600)
def test_the_checks_are_typed(tmp_path: Path) -> None:
    """Each under a name of its own: eighteen modules of the name `check` are one too many for mypy."""
    for it in ALL:
        shutil.copy(it.folder / "check.py", tmp_path / f"check_{it.name}.py")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", *sorted(tmp_path.glob("*.py"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout
