"""An exercise is what its folder says; a folder that lacks something is one line that names the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labctl.terminal.errors import BadInput, LabError
from labctl.workshop.exercise import exercise, judge
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.language import Language, usual
from labctl.workshop.exercise.recording import Recording, Replay
from labctl.workshop.exercise.verdict import Outcome


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the first exercise."""
    return Path(shutil.copytree(exercise.find("1").folder, tmp_path / "07_copy"))


def test_a_new_folder_is_a_new_exercise(folder: Path) -> None:
    assert [it.name for it in exercise.every(folder.parent)] == ["07_copy"]
    assert exercise.find("7", folder.parent) == exercise.find("07", folder.parent) == exercise.load(folder)


@pytest.mark.parametrize("text", ["0", "1", "8", "", "-7", "7.0", "seven", "\u0667", "07_copy", "777"])
def test_a_number_that_there_is_not_is_refused_with_those_that_there_are(folder: Path, text: str) -> None:
    with pytest.raises(BadInput, match="expected one of 7"):
        exercise.find(text, folder.parent)


@pytest.mark.parametrize("line", ["minutes", "pairs", "audience", "claims"])
def test_a_fact_that_is_missing_is_named_with_its_file(folder: Path, line: str) -> None:
    file = folder / "exercise.toml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(it for it in lines if not it.startswith(f"{line} =")), encoding="utf-8")
    with pytest.raises(LabError, match=f"exercise.toml is no part of an exercise: '{line}' is missing"):
        exercise.load(folder)


@pytest.mark.parametrize("language", Language)
def test_a_text_that_is_missing_is_named_with_its_file(folder: Path, language: Language) -> None:
    file = language.file(folder / "exercise.toml")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(it for it in lines if not it.startswith("title =")), encoding="utf-8")
    with pytest.raises(LabError, match=f"{file.name} is no part of an exercise: 'title' is missing"):
        exercise.load(folder).texts(language)


def test_a_section_that_is_missing_is_named_with_its_file(folder: Path) -> None:
    (folder / "README.ko.md").write_text("# 07 x\n", encoding="utf-8")
    with pytest.raises(LabError, match=r"README.ko.md is no part of an exercise: no section '이유'"):
        exercise.load(folder).section(Language.KOREAN, exercise.WHY)


def test_a_lab_that_is_silent_is_no_wrong_solution(folder: Path) -> None:
    (folder / "check.py").write_text(
        "from labctl.terminal.errors import LabError\n"
        "def check(attempt):\n"
        "    raise LabError('Prometheus does not answer', hint='./lab up')\n"
    )
    attempt = Attempt(exercise.load(folder), Replay(Recording("07_copy", "", 1, 2, {}, {})))
    verdict = judge.judge(attempt)
    assert (verdict.outcome, verdict.saw) == (Outcome.CANNOT_TELL, "Prometheus does not answer")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.ENGLISH),
        ({"LANG": "ko_KR.UTF-8"}, Language.KOREAN),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, Language.ENGLISH),
        ({"LANG": "C", "LC_MESSAGES": "ko"}, Language.KOREAN),
        ({"LANG": "kok_IN"}, Language.ENGLISH),
        ({"LANG": "fr_FR.UTF-8"}, Language.ENGLISH),
    ],
)
def test_the_language_is_that_of_the_shell(environment: dict[str, str], language: Language) -> None:
    assert usual(environment) is language
