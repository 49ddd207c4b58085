"""Every check, against what it saw in a real lab: untouched is not solved, a solution solves, a wrong one does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.workshop.exercise import exercise, recording
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import Exercise
from labctl.workshop.exercise.judge import judge
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.recording import Replay
from labctl.workshop.exercise.verdict import Outcome

EXERCISES = exercise.every()
RECORDED = [(it, file) for it in EXERCISES for file in sorted((it.folder / "recorded").glob("*.json"))]


def expected(file: Path) -> set[Outcome]:
    """What the name of a recording promises."""
    return {Outcome.SOLVED} if file.stem.startswith("solved") else {Outcome.NOT_YET}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("it", "file"), RECORDED, ids=[f"{it.name}-{file.stem}" for it, file in RECORDED])
def test_the_check_says_of_a_recorded_lab_what_is_expected(it: Exercise, file: Path, language: Language) -> None:
    found = recording.read(file)
    assert found.exercise == it.name
    verdict = judge(Attempt(it, Replay(found), found.values, found.guess, language))
    assert verdict.outcome in expected(file), verdict
    assert verdict.saw
    assert set(verdict.measured) <= {question.key for question in it.guess}


@pytest.mark.parametrize("it", EXERCISES, ids=lambda it: it.name)
def test_every_exercise_is_recorded_untouched_and_after_each_solution(it: Exercise) -> None:
    """And after each wrong one: a folder `NAME` is recorded as `NAME.json`, `solution` as `solved.json`."""
    folders = {folder.name for folder in it.folder.iterdir() if folder.is_dir()}
    wanted = {name.replace("solution", "solved") for name in folders if name.startswith(("solution", "wrong"))}
    recorded = {file.stem for folder, file in RECORDED if folder.name == it.name}
    assert recorded == {"untouched", *wanted}


@pytest.mark.parametrize("it", EXERCISES, ids=lambda it: it.name)
def test_a_solved_exercise_measured_every_guess(it: Exercise) -> None:
    for file in (it.folder / "recorded").glob("solved*.json"):
        found = recording.read(file)
        verdict = judge(Attempt(it, Replay(found), found.values, found.guess))
        assert set(verdict.measured) == {question.key for question in it.guess}
