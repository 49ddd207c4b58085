"""Hints that grow, and the solutions."""

from __future__ import annotations

from labctl.terminal.errors import BadInput
from labctl.terminal.printing import show_lines, show_verbatim
from labctl.workshop.exercise.exercise import Exercise
from labctl.workshop.exercise.language import Language, phrase
from labctl.workshop.exercise.progress import Progress
from labctl.workshop.exercise.student import filled_in


def begun_or_refuse(progress: Progress, exercise: Exercise) -> None:
    """An exercise must have been started.

    :raises BadInput: it was not
    """
    if exercise.name not in progress.records:
        raise BadInput(f"exercise {exercise.number} is not begun", hint=f"./lab exercise start {exercise.number}")


def show_hint(progress: Progress, exercise: Exercise, language: Language) -> None:
    """The next hint; after the last one, the last one again.

    :raises BadInput: the exercise was not started
    """
    begun_or_refuse(progress, exercise)
    hints = exercise.texts(language).hints
    with progress.changing():
        begun_or_refuse(progress, exercise)  # a reset may have come in between
        record = progress.records[exercise.name]
        record.hints = min(record.hints + 1, len(hints))
    text = filled_in(hints[record.hints - 1], record.values)
    show_lines([phrase(language, "hint", number=record.hints, count=len(hints), hint=text)])
    if record.hints < len(hints):
        show_lines([phrase(language, "another_hint", number=exercise.number)])


def check_solution_options(progress: Progress, exercise: Exercise, now: bool) -> None:
    """A solution is for those who have tried.

    :raises BadInput: there was no check yet, and no --now
    """
    record = progress.records.get(exercise.name)
    if not now and not (record and record.checks):
        raise BadInput(
            f"exercise {exercise.number} was not tried yet: ./lab exercise check {exercise.number} comes first",
            hint=f"./lab exercise hint {exercise.number}; or ./lab exercise solution {exercise.number} --now",
        )


def show_solution(progress: Progress, exercise: Exercise, language: Language) -> None:
    """The files of every solution, with the student's values."""
    record = progress.records.get(exercise.name)
    for folder in sorted(exercise.folder.glob("solution*")):
        files = sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix in (".sh", ".py", ".c"))
        for file in files:
            other = "" if folder.name == "solution" else f" ({phrase(language, 'also_solves')})"
            show_verbatim([f"--- {file.relative_to(exercise.folder.parent.parent)}{other}"])
            show_verbatim(_with_values(file.read_text(encoding="utf-8"), record.values if record else {}).splitlines())
    if record:
        with progress.changing():
            if exercise.name in progress.records:  # no reset came in between
                progress.records[exercise.name].solution_shown = True


def _with_values(script: str, values: dict[str, str | int]) -> str:
    for name, value in values.items():
        script = script.replace(f"$EX_{name.upper()}", str(value)).replace(f"${{EX_{name.upper()}}}", str(value))
    return script
