"""The progress in Prometheus, for the page in the browser: the exporter of the running lab gets it as a file.

The student's values and guesses stay on the student's machine: those of the mystery are its secret.
"""

from __future__ import annotations

import json
from typing import Any

from docker.errors import APIError

from labctl.lab import state_files
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say
from labctl.workshop.exercise.progress import Progress, Record

_SERVICE, _DIRECTORY, _FILE = "kernel", "/bench", "exercises.json"
_MOST_CHARACTERS = 2000  # of a sentence of a check: a label is no place for a page


def publish(lab: Lab, done: Progress) -> None:
    """Hand the progress to the exporter; a lab that does not run has no page, and gets it at the next `./lab up`.

    An exporter that does not take it (a student may have paused it) is named, and keeps nobody from an exercise.

    :raises LabError: there is no engine
    """
    content = json.dumps(document(done)).encode()
    for exporter in (c for c in lab.containers() if c.service == _SERVICE and c.running):
        try:
            state_files.write(exporter.docker, _DIRECTORY, _FILE, content)
        except (LabError, APIError) as error:
            say(f"The page does not show the progress: {exporter.service} does not take it ({error})")


def document(done: Progress) -> dict[str, Any]:
    """What `ipclab.kernel_exporter.exercises` reads."""
    no_try = {name: Record(solved.at, solved.student) for name, solved in done.solved_before.items()}
    records = {**no_try, **done.records}
    shown = {name: _shown(record, done.state_of(name)) for name, record in sorted(records.items())}
    for name in no_try.keys() - done.records.keys():
        shown[name]["started_at"] = None  # the try was forgotten
    return {"exercises": shown}


def _shown(record: Record, state: str) -> dict[str, Any]:
    return {
        "state": state,
        "outcome": record.outcome,
        "saw": (record.saw or "")[:_MOST_CHARACTERS],
        "waits_for": (record.waits_for or "")[:_MOST_CHARACTERS],
        "language": record.language,
        "checks": record.checks,
        "hints": record.hints,
        "solution_shown": record.solution_shown,
        "started_at": record.started_at,
        "checked_at": record.checked_at,
    }
