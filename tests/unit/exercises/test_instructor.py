"""docs/INSTRUCTOR.md, in both languages: its plans fit the exercises, and its table of claims is up to date."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from labctl.workshop.exercise.exercise import every
from labctl.workshop.exercise.language import EXERCISES, Language

DOCS = Path(__file__).resolve().parents[3] / "docs"
CLAIMS = tomllib.loads((EXERCISES / "claims.toml").read_text(encoding="utf-8"))
BY_NUMBER = {exercise.number: exercise for exercise in every()}
_REGENERATE = "./lab test tests/unit/exercises/test_instructor.py --update-golden"
_GENERATED = re.compile(r"(?<=" + re.escape(f"{_REGENERATE} -->\n\n") + r")(.*?)(?=\n<!-- The end)", re.DOTALL)
_PLAN = re.compile(r"^### (\d+)\D.*?$(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (\d+) \| .* \| (\d*) ?\|$", re.MULTILINE)
HEADINGS = {Language.ENGLISH: "| exercise | minutes | claims |", Language.KOREAN: "| 연습 | 분 | 주장 |"}
each_language = pytest.mark.parametrize("language", Language)


def page(language: Language) -> Path:
    """The page of a language."""
    return language.file(DOCS / "INSTRUCTOR.md")


def plans(language: Language) -> dict[int, list[tuple[int, int | None]]]:
    """Minutes of a plan to its rows: the mark, and the exercise if there is one."""
    found = _PLAN.findall(page(language).read_text(encoding="utf-8"))
    return {
        int(minutes): [(int(mark), int(number) if number else None) for mark, number in _ROW.findall(rows)]
        for minutes, rows in found
    }


def table(language: Language) -> str:
    """Each exercise with its minutes and the claims that it proves."""
    rows = [HEADINGS[language], "| --- | --- | --- |"]
    for exercise in every():
        claims = "<br>".join(CLAIMS[claim][language] for claim in exercise.claims)
        rows.append(f"| {exercise.number} {exercise.texts(language).title} | {exercise.minutes} | {claims} |")
    return "".join(f"{row}\n" for row in rows)


@each_language
def test_there_is_a_plan_for_45_90_and_180_minutes(language: Language) -> None:
    assert list(plans(language)) == [45, 90, 180]


@each_language
def test_the_marks_of_a_plan_leave_each_exercise_its_minutes(language: Language) -> None:
    for minutes, rows in plans(language).items():
        marks = [mark for mark, _ in rows]
        assert marks[0] == 0
        assert marks == sorted(set(marks))
        for (mark, number), end in zip(rows, [*marks[1:], minutes], strict=True):
            if number is not None:
                assert end - mark >= BY_NUMBER[number].minutes, f"{minutes} minutes: exercise {number} at {mark}"


def test_both_languages_have_the_same_plans() -> None:
    assert plans(Language.ENGLISH) == plans(Language.KOREAN)


def test_both_languages_have_the_same_parts() -> None:
    english, korean = (page(language).read_text(encoding="utf-8") for language in Language)
    for mark in (r"^#+ ", r"^\| ", r"^\d+\. ", r"^\*\*.*\?", r"^```"):
        assert len(re.findall(mark, english, re.MULTILINE)) == len(re.findall(mark, korean, re.MULTILINE)), mark
    assert re.findall(r"`(\./lab [^`]*|LAB_\w+=[^`]*)`", english) == re.findall(
        r"`(\./lab [^`]*|LAB_\w+=[^`]*)`", korean
    )


@each_language
def test_the_table_of_claims_is_up_to_date(language: Language, update_golden: bool) -> None:
    made, text = table(language), page(language).read_text(encoding="utf-8")
    assert len(_GENERATED.findall(text)) == 1, "the markers are gone"
    if update_golden:
        text = _GENERATED.sub(lambda _: made, text)
        page(language).write_text(text, encoding="utf-8")
    assert _GENERATED.findall(text) == [made], f"{page(language).name} is outdated; run: {_REGENERATE}"
