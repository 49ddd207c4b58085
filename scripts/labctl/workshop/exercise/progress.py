"""What a student did so far: one file for each project, which survives `./lab down`.

$XDG_STATE_HOME/ipclab/exercises/PROJECT.json, as the XDG Base Directory Specification has it for what should outlive a
program and is no configuration (https://specifications.freedesktop.org/basedir-spec/).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labctl.config.json_document import INVALID, has_type, made_of
from labctl.config.values import shown
from labctl.lab.project_lock import changing
from labctl.terminal.errors import LabError
from labctl.workshop.exercise.student import Value
from labctl.workshop.exercise.verdict import Outcome, Verdict

SCHEMA = 1


@dataclass
class Record:
    """One exercise that was begun. Times are seconds since 1970, by the clock of Prometheus."""

    started_at: float
    student: str
    values: dict[str, Value] = field(default_factory=dict)
    guess: dict[str, str | float] = field(default_factory=dict)
    measured: dict[str, str | float] = field(default_factory=dict)
    checks: int = 0
    hints: int = 0
    solution_shown: bool = False
    solved_at: float | None = None
    file: str | None = None  # of the student, in a "write it yourself" exercise
    checked_at: float | None = None
    outcome: str | None = None  # what the last check said, in `language`
    saw: str | None = None
    waits_for: str | None = None
    language: str | None = None

    def enter(self, verdict: Verdict, now: float, language: str) -> None:
        """One more check; what was solved stays solved whatever a later check says.

        :param now: when the check began, by the clock of Prometheus
        """
        self.checks += 1
        self.measured |= verdict.measured
        self.checked_at, self.outcome, self.language = now, str(verdict.outcome), language
        self.saw, self.waits_for = verdict.saw, verdict.waits_for
        if verdict.outcome is Outcome.SOLVED and self.solved_at is None:
            self.solved_at = now

    @property
    def state(self) -> str:
        """The word of `./lab exercise list`."""
        return "begun" if self.solved_at is None else "solved"


@dataclass
class Solved:
    """An exercise that was solved in a try that a reset has ended. What that try measured is forgotten."""

    at: float  # seconds since 1970, by the clock of Prometheus
    student: str


@dataclass
class Progress:
    """The records of one project, by the exercises' folders."""

    path: Path
    records: dict[str, Record] = field(default_factory=dict)
    solved_before: dict[str, Solved] = field(default_factory=dict)
    starting: str | None = None  # the exercise whose start has not ended: it asks, or it was interrupted

    def state_of(self, name: str) -> str:
        """The word of `./lab exercise list`; an exercise that was solved once stays solved."""
        if name in self.solved_before:
            return "solved"
        return self.records[name].state if name in self.records else "not begun"

    def is_tried_again(self, name: str) -> bool:
        """Whether it was solved, reset and begun anew, and is not solved anew."""
        return name in self.solved_before and name in self.records and self.records[name].solved_at is None

    def solved_at(self, name: str) -> float | None:
        """When it was solved first: seconds since 1970."""
        if name in self.solved_before:
            return self.solved_before[name].at
        return self.records[name].solved_at if name in self.records else None

    def same_try(self, name: str, started_at: float) -> Record:
        """The record of a try that was judged meanwhile.

        :raises LabError: that try was reset
        """
        record = self.records.get(name)
        if record is None or record.started_at != started_at:
            number = int(name[:2])
            raise LabError(f"exercise {number} was reset during its check", hint=f"./lab exercise start {number}")
        return record

    def forget(self, name: str) -> None:
        """End a try: of its record nothing stays, but that the exercise was solved."""
        record = self.records.pop(name, None)
        if record and record.solved_at is not None:
            self.solved_before.setdefault(name, Solved(record.solved_at, record.student))
        if self.starting == name:
            self.starting = None

    def latest_begun(self) -> str | None:
        """The exercise that was started last, of those that are not solved; else the one that was started last."""
        by_start = sorted(self.records, key=lambda name: self.records[name].started_at)
        unsolved = [name for name in by_start if self.records[name].solved_at is None]
        return next(reversed(unsolved or by_start), None)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the progress as the file has it at this moment, and save it; one command at a time.

        The records are read anew, so that what another command has saved meanwhile stays.

        :raises LabError: the file is none, or cannot be written
        """
        with changing(f"{self.path.stem}.exercises", "./lab exercise"):
            now = read(self.path)
            self.records, self.solved_before, self.starting = now.records, now.solved_before, now.starting
            yield
            self.save()

    def save(self) -> None:
        """Write the file; a reader sees the old one or the new one, never a part (rename(2)).

        :raises LabError: it cannot be written
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, spare = tempfile.mkstemp(dir=self.path.parent)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.as_json(), file, indent=1, ensure_ascii=False)
            Path(spare).replace(self.path)
        except OSError as error:
            raise LabError(
                f"the progress cannot be written to {self.path}: {error.strerror}",
                hint="XDG_STATE_HOME names another folder",
            ) from error

    def as_json(self) -> dict[str, Any]:
        """The document of the file."""
        return {
            "schema": SCHEMA,
            "exercises": {name: asdict(record) for name, record in self.records.items()},
            "solved_before": {name: asdict(solved) for name, solved in self.solved_before.items()},
            "starting": self.starting,
        }


def path_of(project: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The file of a project."""
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "ipclab" / "exercises" / f"{project}.json"


def read(path: Path) -> Progress:
    """The progress of a file; none where there is no file.

    :raises LabError: it is no such file
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise LabError(
                f"{path} has schema {shown(str(document['schema']))}, expected {SCHEMA}",
                hint="another version of the lab wrote it",
            )
        starting = document.get("starting")  # this and `solved_before` are missing in a file of an older lab
        if not has_type(starting, str | None):
            raise TypeError(starting)
        begun, solved_before = document["exercises"], document.get("solved_before", {})
        if not has_type([begun, solved_before], list[Mapping[str, Any]]):
            raise TypeError(path)
        return Progress(
            path,
            {name: made_of(Record, record) for name, record in begun.items()},
            {name: made_of(Solved, solved) for name, solved in solved_before.items()},
            starting,
        )
    except FileNotFoundError:
        return Progress(path)
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}", hint="check who owns it") from error
    except INVALID as error:
        raise LabError(f"{path} is no progress of exercises", hint="move it away; the progress begins anew") from error
