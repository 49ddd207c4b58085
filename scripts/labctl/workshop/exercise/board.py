"""`./lab exercise board`: the progress of many students as a table, from exported files or from this machine's labs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labctl.config.json_document import INVALID
from labctl.config.values import shown
from labctl.terminal.errors import LabError
from labctl.terminal.printing import new_table, show_lines, show_table
from labctl.workshop.exercise import overview, progress
from labctl.workshop.exercise.exercise import every
from labctl.workshop.exercise.language import Language, phrase

_MOST_BYTES = 1 << 20  # an export has some kilobytes
MARKS = {"solved": "✓", "begun": "…", "not begun": "·"}


@dataclass(frozen=True)
class Row:
    """One student: the state of each exercise by its folder, and what it took."""

    student: str
    project: str
    states: Mapping[str, str]
    checks: int
    hints: int
    solutions_shown: int

    @property
    def solved(self) -> int:
        """Number of exercises."""
        return sum(state == "solved" for state in self.states.values())


def show_board(folder: Path | None, language: Language) -> None:
    """A row for each student, those with the most solved exercises first; then the files that are no progress.

    :param folder: of exported files; None for all labs of this machine
    :raises LabError: there is none
    """
    rows, refused = of_folder(folder) if folder else of_this_machine()
    if not rows and not refused:
        raise LabError(
            f"{folder or progress.path_of('PROJECT').parent} has no progress of a student",
            hint="./lab exercise progress --export NAME.json writes one",
        )
    if rows:
        _show(rows, language)
    show_lines(refused)


def of_folder(folder: Path) -> tuple[list[Row], list[str]]:
    """The rows of exported files, and a line for each file that is none."""
    rows, refused = [], []
    for file in sorted(folder.glob("*.json")):
        try:
            rows.append(_row(_document(file)))
        except (OSError, *INVALID):
            expected = f"./lab exercise progress --export (schema {progress.SCHEMA})"
            refused.append(f"{shown(file.name)}: no progress of {expected}")
    return rows, refused


def of_this_machine() -> tuple[list[Row], list[str]]:
    """The rows of every project with exercises that were begun here."""
    rows, refused = [], []
    for file in sorted(progress.path_of("PROJECT").parent.glob("*.json")):
        try:
            done = progress.read(file)
        except LabError as error:
            refused.append(str(error))
            continue
        students = [it.student for it in done.solved_before.values()] + [it.student for it in done.records.values()]
        if students:
            try:
                rows.append(_row({**overview.document(done, file.stem), "student": students[-1]}))
            except TypeError:  # a name that no table can have
                refused.append(f"{shown(file.name)}: the name of a student that no table can show")
    return rows, refused


def _document(file: Path) -> dict[str, Any]:
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(file)
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if document["schema"] != progress.SCHEMA:
        raise ValueError(file)
    return document


def _row(document: Mapping[str, Any]) -> Row:
    exercises = document["exercises"]
    states = {str(it["name"]): str(it["state"]) for it in exercises}
    if not set(states.values()) <= set(MARKS):
        raise ValueError(states)
    return Row(
        student=_text(document["student"]),
        project=_text(document["project"]),
        states=states,
        checks=sum(int(it["checks"]) for it in exercises),
        hints=sum(int(it["hints"]) for it in exercises),
        solutions_shown=sum(bool(it["solution_shown"]) for it in exercises),
    )


def _text(value: object) -> str:
    """A name in one line of the table, whatever its file has."""
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError(value)
    return value[:60]


def _show(rows: Iterable[Row], language: Language) -> None:
    exercises = every()
    table = new_table(gap=1)  # eighteen columns of a mark are to fit beside a name
    table.add_column(phrase(language, "column_student"), no_wrap=True)
    table.add_column(phrase(language, "column_project"), no_wrap=True)
    for exercise in exercises:
        table.add_column(str(exercise.number), justify="center", no_wrap=True)
    for column in ("solved", "checks", "hints", "solutions"):
        table.add_column(phrase(language, f"column_{column}"), justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda row: (-row.solved, row.student, row.project)):
        marks = [MARKS[row.states.get(exercise.name, "not begun")] for exercise in exercises]
        counts = (row.solved, row.checks, row.hints, row.solutions_shown)
        table.add_row(row.student, row.project, *marks, *map(str, counts))
    show_table(table)
    show_lines([phrase(language, "marks", **{name.replace(" ", "_"): mark for name, mark in MARKS.items()})])
