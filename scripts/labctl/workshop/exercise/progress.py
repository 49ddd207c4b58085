"""What a student did so far: one file for each project, which survives `./lab down`.

$XDG_STATE_HOME/ipclab/exercises/PROJECT.json, as the XDG Base Directory Specification has it for what should outlive a
program and is no configuration (https://specifications.freedesktop.org/basedir-spec/).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labctl.config.json_document import INVALID, made_of
from labctl.terminal.errors import LabError
from labctl.workshop.exercise.student import Value

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

    @property
    def state(self) -> str:
        """The word of `./lab exercise list`."""
        return "begun" if self.solved_at is None else "solved"


@dataclass
class Progress:
    """The records of one project, by the exercises' folders."""

    path: Path
    records: dict[str, Record] = field(default_factory=dict)

    def state_of(self, name: str) -> str:
        """The word of `./lab exercise list`."""
        return self.records[name].state if name in self.records else "not begun"

    def latest_begun(self) -> str | None:
        """The exercise that was started last, of those that are not solved; else the one that was started last."""
        by_start = sorted(self.records, key=lambda name: self.records[name].started_at)
        unsolved = [name for name in by_start if self.records[name].solved_at is None]
        return next(reversed(unsolved or by_start), None)

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
        return {"schema": SCHEMA, "exercises": {name: asdict(record) for name, record in self.records.items()}}


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
                f"{path} has schema {document['schema']}, expected {SCHEMA}", hint="another version of the lab wrote it"
            )
        return Progress(path, {name: made_of(Record, record) for name, record in document["exercises"].items()})
    except FileNotFoundError:
        return Progress(path)
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}", hint="check who owns it") from error
    except INVALID as error:
        raise LabError(f"{path} is no progress of exercises", hint="move it away; the progress begins anew") from error
