"""Which judge an exercise has: by the end that the student writes, and the mechanism."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from docker.errors import DockerException
from requests import RequestException

from labctl.config.paths import ROOT
from labctl.engine.images import ensure_images
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import step
from labctl.workshop.student import framing, lock, parent_child, program
from labctl.workshop.student.containers import StudentContainers
from labctl.workshop.student.judgement import Judgement

Values = Mapping[str, str | int]
KINDS = (("producer", "anonymous_pipe"), ("consumer", "fifo"), ("racer", "mmap_file"))


def start(lab: Lab, exercise: str, role: str, mechanism: str, file: Path, values: Values) -> None:
    """Run the student's file as one end, and leave it running.

    :raises BadInput: the file is no program; nothing was started
    :raises LabError: the engine refuses
    """
    written = program.read(file)
    with step(f"Starting {file.name} as student-{role}"), _containers(lab, exercise) as containers:
        if (role, mechanism) == KINDS[0]:
            parent_child.start(containers, written, int(values["count"]))
        elif (role, mechanism) == KINDS[2]:
            lock.start(containers, written, int(values["count"]))
        else:
            framing.start(containers, written, int(values["size"]), int(values["most"]), _seed(values))


def judge(lab: Lab, exercise: str, role: str, mechanism: str, file: Path, values: Values) -> Judgement:
    """Run the student's file anew, under load and kill -9, and say what the other end's ledger has.

    Nothing of it is left running.

    :raises BadInput: the file is no program; nothing was started
    :raises LabError: the engine refuses, or the lab's end does not start
    """
    written = program.read(file)
    with step(f"Running {file.name} as student-{role}, under kill -9"), _containers(lab, exercise) as containers:
        try:
            if (role, mechanism) == KINDS[0]:
                return parent_child.judge(containers, written, int(values["count"]))
            if (role, mechanism) == KINDS[2]:
                return lock.judge(containers, written, int(values["count"]))
            return framing.judge(containers, written, int(values["size"]), int(values["most"]), _seed(values))
        finally:
            containers.remove()


def remove(lab: Lab, exercise: str) -> None:
    """Remove the containers and the volume of an exercise; there may be none."""
    StudentContainers(lab.client, lab.project, lab.configuration.lab_image, exercise).remove()


@contextmanager
def _containers(lab: Lab, exercise: str) -> Iterator[StudentContainers]:
    """None of an earlier run is left; an engine's refusal becomes one line."""
    ensure_images(lab.client, lab.configuration.values, root=ROOT)
    containers = StudentContainers(lab.client, lab.project, lab.configuration.lab_image, exercise)
    try:
        containers.remove()
        yield containers
    except (DockerException, RequestException) as error:
        raise LabError(
            f"the containers of {exercise} cannot be run: {one_line(error)}", hint="./lab doctor looks for the cause"
        ) from error


def _seed(values: Values) -> int:
    return int.from_bytes(hashlib.sha256(repr(sorted(values.items())).encode()).digest()[:4], "little")
