"""Guesses come before their measurement, a mystery stays one, and a script of an exercise gets the student's values."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.config.configuration import Configuration
from labctl.terminal.errors import BadInput, LabError
from labctl.workshop.exercise import exercise as exercises
from labctl.workshop.exercise import guesses, script, student
from labctl.workshop.exercise.exercise import Exercise, find

MYSTERY = find("18")


def test_a_question_of_the_check_is_no_question_of_the_start() -> None:
    assert guesses.given(MYSTERY, ["pair=tcp", "lost=12"], "check") == {"pair": "tcp", "lost": 12.0}
    with pytest.raises(BadInput, match="the start of this exercise asks nothing"):
        guesses.given(MYSTERY, ["pair=tcp"], "start")


def test_a_guess_cannot_be_made_after_its_measurement() -> None:
    first = next(it for it in exercises.every() if any(question.ask == "start" for question in it.guess))
    (key, *_) = [question.key for question in first.guess]
    with pytest.raises(BadInput, match=f"{key}="):
        guesses.given(first, [f"{key}=1"], "check")


def test_the_fault_is_drawn_for_each_student_and_shown_to_none() -> None:
    drawn = {student.draw(MYSTERY, f"student {number}")["fault"] for number in range(200)}
    assert len(drawn) > 8
    values = student.draw(MYSTERY, "anna")
    assert "fault" in values
    assert MYSTERY.shown(values) == {}


def test_every_fault_names_a_pair_of_the_exercise_and_a_cause_that_can_be_answered() -> None:
    choices = {question.key: question.choices for question in MYSTERY.guess}
    fault = MYSTERY.values["fault"]
    assert isinstance(fault, exercises.Choices)
    causes = set()
    for word in fault.words:
        cause, _, pair = word.partition(":")
        assert pair in MYSTERY.pairs
        causes.add(cause)
    assert causes == set(choices["cause"])
    assert set(choices["pair"]) == set(MYSTERY.pairs)
    for name in ("setup", "solution"):
        text = (MYSTERY.folder / name / "apply.sh").read_text(encoding="utf-8")
        assert all(cause in text for cause in causes), name


def test_the_students_name_is_no_unknown_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_STUDENT", "anna")
    Configuration.load()
    assert student.name() == "anna"


def written(tmp_path: Path, text: str) -> Path:
    """A script below the folder of the lab's copy."""
    file = tmp_path / "apply.sh"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_script_gets_the_values_and_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "ROOT", tmp_path)
    run = written(tmp_path, 'printf "%s %s %s" "$EX_RATE" "$EX_WORD" "$COMPOSE_PROJECT_NAME" > said; echo unseen')
    script.run(run, "mine", {"rate": 300, "word": "two words"})
    assert (tmp_path / "said").read_text(encoding="utf-8") == "300 two words mine"


@pytest.mark.parametrize(
    ("text", "said"), [("echo first >&2; echo why >&2; exit 3", "exited with 3: why"), ("exit 1", "no message")]
)
def test_a_script_that_fails_is_one_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "ROOT", tmp_path)
    with pytest.raises(LabError, match=said):
        script.run(written(tmp_path, text), "mine", {})
    assert capsys.readouterr() == ("", "")


def test_the_folders_of_scripts_are_those_that_commands_run() -> None:
    names = {
        folder.name for it in exercises.every() for folder in it.folder.iterdir() if (folder / "apply.sh").exists()
    }
    assert {name.rstrip("_0123456789") for name in names} <= {"solution", "setup", "cleanup", "wrong"}


def test_a_script_is_found_where_there_is_one() -> None:
    assert isinstance(MYSTERY, Exercise)
    assert MYSTERY.script("setup") == MYSTERY.folder / "setup" / "apply.sh"
    assert MYSTERY.script("cleanup") is None
