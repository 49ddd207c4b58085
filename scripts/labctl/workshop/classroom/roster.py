"""Who has which lab: the project, ports, keys, user and seed of each student, kept in the folder `class/` of the clone.

`class/PROJECT.json` has all of it; `class/PROJECT-sNN.sh` has the exports of one student, to be read by their shell.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labctl.config import compose_file
from labctl.config.configuration import IMAGE_TAG, PROJECT, PUBLISHED_PORTS, STUDENT, UID, Configuration
from labctl.config.json_document import INVALID, has_type, made_of
from labctl.config.paths import ROOT
from labctl.lab import ports
from labctl.terminal.errors import LabError
from labctl.terminal.files import write_together
from labctl.terminal.printing import one_line

FOLDER = ROOT / "class"
_KEYS_APART = 64  # more than the keys of one lab
_RESPONDER_KEY = "LAB_RESPONDER_KEY"


@dataclass(frozen=True)
class Student:
    """One lab of the class."""

    number: int
    project: str
    environment: Mapping[str, str]  # what makes a shell's `./lab` mean this lab

    @property
    def seed(self) -> str:
        """The name under which exercises draw this student's values."""
        return self.environment[STUDENT]

    def port(self, name: str) -> int:
        """A published port, by its setting."""
        return int(self.environment[name])

    def configuration(self) -> Configuration:
        """The settings of this lab.

        :raises BadInput: `.env` is not valid
        """
        others = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
        return Configuration.load(environment={**others, **self.environment})

    def exports(self) -> str:
        """The lines for a POSIX shell."""
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.environment.items())


@dataclass(frozen=True)
class Roster:
    """A class: its pairs, and its students by number."""

    project: str
    pairs: tuple[str, ...] = ()
    students: tuple[Student, ...] = field(default=())

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.project}.json"

    def script(self, student: Student) -> Path:
        """What the student's shell reads."""
        return FOLDER / f"{student.project}.sh"

    def write(self) -> None:
        """Keep it, with a script for each student.

        :raises LabError: that cannot be written
        """
        students = [asdict(student) for student in self.students]
        document = {"project": self.project, "pairs": list(self.pairs), "students": students}
        files = {self.file.name: json.dumps(document, indent=1).encode() + b"\n"}
        files |= {self.script(student).name: student.exports().encode() for student in self.students}
        write_together(files, FOLDER, "the class")

    def remove(self) -> None:
        """Forget it."""
        for path in (self.file, *map(self.script, self.students)):
            path.unlink(missing_ok=True)


def read(project: str) -> Roster:
    """The class that was started from this clone; without students where there is none.

    :raises LabError: its file is damaged
    """
    roster = Roster(project)
    try:
        document = json.loads(roster.file.read_text(encoding="utf-8"))
        students = tuple(made_of(Student, student) for student in document["students"])
        for student in students:
            _require_whole(student, project)
        if not has_type(document["pairs"], Sequence[str]):
            raise TypeError("its pairs are no names")
        return Roster(project, tuple(document["pairs"]), students)
    except FileNotFoundError:
        return roster
    except (OSError, *INVALID) as error:
        raise LabError(
            f"{roster.file} cannot be read: {one_line(error)}",
            hint=f"remove {roster.file.name}, then ./lab class down: it finds the labs by their names",
        ) from error


def _require_whole(student: Student, project: str) -> None:
    """Refuse what no `./lab class up` wrote: settings without a name or a port, or the name of another project."""
    if not names(project).fullmatch(student.project) or not student.seed.isprintable():
        raise ValueError(f"the lab of student {student.number}")
    for name, value in student.environment.items():
        if not (name.isascii() and name.isidentifier() and "\0" not in value and value.encode()):
            raise ValueError(f"the setting {name!r} of {student.project}")
    if not all(0 < student.port(name) < 65536 for name in PUBLISHED_PORTS):
        raise ValueError(f"the ports of {student.project}")


def names(project: str) -> re.Pattern[str]:
    """What the labs of a class are called."""
    return re.compile(rf"{re.escape(project)}-s\d{{2,3}}")


def with_students(roster: Roster, base: Configuration, number: int, seed: str, first_port: int) -> Iterator[Student]:
    """The students up to `number` that the class does not have yet.

    :param base: the settings that all labs share
    :raises LabError: there are no ports left
    """
    have = {student.number for student in roster.students}
    blocks = _blocks(first_port, {student.port(name) for student in roster.students for name in PUBLISHED_PORTS})
    for count in range(1, number + 1):
        if count not in have:
            project = f"{base.project}-s{count:02}"
            block = next(blocks, None)
            if block is None:
                raise LabError(
                    f"no free ports from {first_port} on for {project}", hint="--first-port names a lower one"
                )
            shared = {name: value for name, value in os.environ.items() if name.startswith("LAB_")}
            environment = {
                **shared,
                PROJECT: project,
                **{name: str(block + offset) for offset, name in enumerate(sorted(PUBLISHED_PORTS))},
                **{name: str(base.number(name) + _KEYS_APART * count) for name in _keys()},
                UID: str(base.number(UID) + count),
                STUDENT: f"{seed or base.project}-{count:02}",
                IMAGE_TAG: base.values[IMAGE_TAG],
            }
            yield Student(count, project, environment)


def _keys() -> list[str]:
    """The settings that name a System V key."""
    points = compose_file.meeting_points()
    return sorted({point.variable for point in points if point.option == "--key" and point.variable} | {_RESPONDER_KEY})


def _blocks(first_port: int, given: set[int]) -> Iterator[int]:
    """The first ports of blocks that nobody listens on."""
    count = len(PUBLISHED_PORTS)
    for start in range(first_port, 65536 - count + 1, count):
        block = range(start, start + count)
        if not given.intersection(block) and not any(map(ports.in_use, block)):
            yield start
