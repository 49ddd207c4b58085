"""A recording of what a check saw in a real lab, and its replay: every check is tested without containers.

The file has the answer to each question of the check. A question that is asked twice has two answers, in their order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from labctl.config.json_document import INVALID, made_of
from labctl.experiments.speedup.kept import Kept
from labctl.lab.prometheus import Line, Sample
from labctl.measured.kernel_objects import Buffer, KernelObjects, Queue, Segment
from labctl.terminal.errors import LabError
from labctl.workshop.exercise.sees import Ledger, SeenContainer, Sees
from labctl.workshop.exercise.student import Value
from labctl.workshop.student.judgement import Judgement

SCHEMA = 1
T = TypeVar("T")


@dataclass
class Recording:
    """What a check saw once, and of whom."""

    exercise: str
    outcome: str
    started_at: float
    now: float
    values: dict[str, Value]
    guess: dict[str, str | float]
    answers: dict[str, list[Any]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=None, ensure_ascii=False, separators=(",", ":"))
        path.write_text(f"{text}\n", encoding="utf-8")


def read(path: Path) -> Recording:
    """The recording of a file.

    :raises LabError: it is none
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("schema") != SCHEMA:
            raise LabError(f"{path} is a recording of another version", hint=f"expected schema {SCHEMA}")
        return made_of(Recording, document)
    except (OSError, *INVALID) as error:
        raise LabError(f"{path} is no recording: {error}", hint="./lab exercise check N --record FILE") from error


class Recorder:
    """Passes every question on to the lab, and keeps the answers."""

    def __init__(self, lab: Sees) -> None:
        self._lab = lab
        self.started_at = lab.started_at
        self.now = lab.now
        self.answers: dict[str, list[Any]] = {}

    def query(self, expression: str) -> list[Sample]:
        """See `Sees`."""
        return self._kept(f"query {expression}", self._lab.query(expression), _all_as_dicts)

    def history(self, expression: str) -> list[Line]:
        """See `Sees`."""
        return self._kept(f"history {expression}", self._lab.history(expression), _all_as_dicts)

    def containers(self) -> list[SeenContainer]:
        """See `Sees`."""
        return self._kept("containers", self._lab.containers(), _all_as_dicts)

    def kernel_objects(self) -> KernelObjects:
        """See `Sees`."""
        return self._kept("kernel_objects", self._lab.kernel_objects(), asdict)

    def ledger(self, mechanism: str) -> Ledger:
        """See `Sees`."""
        return self._kept(f"ledger {mechanism}", self._lab.ledger(mechanism), asdict)

    def student(self) -> Judgement:
        """See `Sees`."""
        return self._kept("student", self._lab.student(), asdict)

    def files(self, service: str, directory: str) -> dict[str, int]:
        """See `Sees`."""
        return self._kept(f"files {service} {directory}", self._lab.files(service, directory), dict)

    def text(self, service: str, path: str) -> str | None:
        """See `Sees`."""
        return self._kept(f"text {service} {path}", self._lab.text(service, path), _as_it_is)

    def speedups(self) -> list[Kept]:
        """See `Sees`."""
        return self._kept("speedups", self._lab.speedups(), _all_as_dicts)

    def _kept(self, question: str, answer: T, as_json: Callable[[T], Any]) -> T:
        self.answers.setdefault(question, []).append(as_json(answer))
        return answer


class Replay:
    """Answers as the lab did; the last answer to a question stays."""

    def __init__(self, recording: Recording) -> None:
        self._left = {question: list(answers) for question, answers in recording.answers.items()}
        self.started_at = recording.started_at
        self.now = recording.now

    def query(self, expression: str) -> list[Sample]:
        """See `Sees`."""
        return [Sample(**it) for it in self._next(f"query {expression}")]

    def history(self, expression: str) -> list[Line]:
        """See `Sees`."""
        return [Line(**it) for it in self._next(f"history {expression}")]

    def containers(self) -> list[SeenContainer]:
        """See `Sees`."""
        tuples = ("networks", "volumes", "command")
        return [
            SeenContainer(**{**it, **{name: tuple(it[name]) for name in tuples}}) for it in self._next("containers")
        ]

    def kernel_objects(self) -> KernelObjects:
        """See `Sees`."""
        it = self._next("kernel_objects")
        return KernelObjects(
            [Segment(**segment) for segment in it["segments"]],
            [Queue(**queue) for queue in it["queues"]],
            [Buffer(**buffer) for buffer in it["buffers"]],
            it["dev_shm_used_bytes"],
            it["dev_shm_limit_bytes"],
        )

    def ledger(self, mechanism: str) -> Ledger:
        """See `Sees`."""
        return Ledger(**self._next(f"ledger {mechanism}"))

    def student(self) -> Judgement:
        """See `Sees`."""
        return Judgement(**self._next("student"))

    def files(self, service: str, directory: str) -> dict[str, int]:
        """See `Sees`."""
        return dict(self._next(f"files {service} {directory}"))

    def text(self, service: str, path: str) -> str | None:
        """See `Sees`."""
        return _as_it_is(self._next(f"text {service} {path}"))

    def speedups(self) -> list[Kept]:
        """See `Sees`."""
        return [Kept(**it) for it in self._next("speedups")]

    def _next(self, question: str) -> Any:
        answers = self._left.get(question)
        if not answers:
            raise LabError(f"the recording has no answer to {question!r}", hint="record it anew")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _as_it_is(text: str | None) -> str | None:
    """As JSON has it."""
    return text


def _all_as_dicts(items: list[Any]) -> list[Mapping[str, Any]]:
    return [asdict(item) for item in items]
