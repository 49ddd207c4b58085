"""`./lab exercise list`, `next` and `progress`: what there is, and how far the student is. Needs no lab."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from labctl.terminal.errors import LabError
from labctl.terminal.printing import new_table, show_lines, show_table
from labctl.workshop.exercise import student
from labctl.workshop.exercise.exercise import Exercise, every
from labctl.workshop.exercise.language import Language, phrase
from labctl.workshop.exercise.progress import SCHEMA, Progress


def show_list(progress: Progress, language: Language) -> None:
    """A row for each exercise: number, title, minutes, state."""
    rows = [
        (str(it.number), it.texts(language).title, str(it.minutes), _state(progress, it, language)) for it in every()
    ]
    _show(language, ("title", "minutes", "state"), rows)


def show_progress(progress: Progress, language: Language) -> None:
    """A row for each exercise: state, checks made, hints taken."""
    rows = []
    for it in every():
        record = progress.records.get(it.name)
        counts = (str(record.checks), str(record.hints)) if record else ("-", "-")
        rows.append((str(it.number), it.texts(language).title, _state(progress, it, language), *counts))
    _show(language, ("title", "state", "checks", "hints"), rows)


def _show(language: Language, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table behind the numbers of the exercises; words stand left, counts right."""
    table = new_table()
    table.add_column("", justify="right")
    for column in columns:
        table.add_column(
            phrase(language, f"column_{column}"), justify="left" if column in ("title", "state") else "right"
        )
    for row in rows:
        table.add_row(*row)
    show_table(table)


def next_exercise(progress: Progress) -> Exercise | None:
    """The one that is begun, and not solved in this try; else the first not begun; None when all are solved."""
    by_name = {exercise.name: exercise for exercise in every()}
    latest = progress.latest_begun()
    if latest in by_name and progress.records[latest].solved_at is None:
        return by_name[latest]
    return next((it for it in by_name.values() if progress.state_of(it.name) == "not begun"), None)


def show_next(progress: Progress, language: Language) -> None:
    """What to do next, in one line."""
    exercise = next_exercise(progress)
    if exercise is None:
        show_lines([phrase(language, "none_left")])
    elif exercise.name in progress.records:
        show_lines([phrase(language, "check", number=exercise.number)])
    else:
        show_lines([phrase(language, "next", number=exercise.number)])


def show_welcome(progress: Progress, language: Language) -> None:
    """For whoever types `./lab exercise` alone: how an exercise goes, and what to type next."""
    exercises = every()
    if not progress.records and not progress.solved_before:
        first = exercises[0]
        show_lines(
            [
                phrase(language, "welcome", count=len(exercises)),
                phrase(language, "welcome_lab", pairs=" ".join(first.pairs)),
                phrase(language, "welcome_start", number=first.number, minutes=first.minutes),
                phrase(language, "welcome_check"),
                phrase(language, "welcome_more"),
            ]
        )
        return
    states = [progress.state_of(it.name) for it in exercises]
    counts = {state.replace(" ", "_"): states.count(state) for state in ("solved", "begun", "not begun")}
    show_lines([phrase(language, "marks", **counts)])
    show_next(progress, language)
    show_lines([phrase(language, "welcome_more")])


def export(progress: Progress, project: str, path: Path) -> None:
    """Write the progress for the instructor's board.

    :raises LabError: the file cannot be written
    """
    text = json.dumps(document(progress, project), indent=1, ensure_ascii=False)
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror}", hint="--export progress.json") from error
    show_lines([str(path)])


def document(progress: Progress, project: str) -> dict[str, Any]:
    """The exported document: seconds since 1970 and counts."""
    exercises = []
    for exercise in every():
        record = progress.records.get(exercise.name)
        exercises.append(
            {
                "number": exercise.number,
                "name": exercise.name,
                "state": progress.state_of(exercise.name),
                "started_at": record.started_at if record else None,
                "solved_at": progress.solved_at(exercise.name),
                "checks": record.checks if record else 0,
                "hints": record.hints if record else 0,
                "solution_shown": record.solution_shown if record else False,
                "guess": dict(record.guess) if record else {},
                "measured": dict(record.measured) if record else {},
            }
        )
    return {"schema": SCHEMA, "student": student.name(), "project": project, "exercises": exercises}


def _state(progress: Progress, exercise: Exercise, language: Language) -> str:
    if progress.is_tried_again(exercise.name):
        return phrase(language, "state_tried_again")
    return phrase(language, f"state_{progress.state_of(exercise.name).replace(' ', '_')}")
