"""What a check sees of the lab: Prometheus, containers, kernel objects, ledgers and files. Nobody types any of it.

The running lab answers (`live.py`), or a recording of its answers (`recording.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from labctl.experiments.speedup.kept import Kept
from labctl.lab.prometheus import Line, Sample
from labctl.measured.kernel_objects import KernelObjects
from labctl.workshop.student.judgement import Judgement


@dataclass(frozen=True)
class SeenContainer:
    """One container of the project, whoever started it: Compose, `./lab place`, an exercise or the student."""

    service: str  # of Compose; else the container's name
    number: int  # of those of its service, from 1
    id: str  # short
    mechanism: str  # of its pair; "" for others
    role: str  # producer or consumer, else ""
    state: str  # created, running, restarting, exited, paused, dead
    health: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started_at: float  # seconds since 1970; 0 if it never was
    placement: str  # where `./lab place` moved it to; "" where compose.yaml has it
    networks: tuple[str, ...]  # without the project's name in front
    volumes: tuple[str, ...]  # likewise
    environment: dict[str, str]  # what begins with LAB_
    command: tuple[str, ...]
    # Inodes of its namespaces, which tell who shares one: see namespaces(7). "" while it does not run.
    ipc: str
    net: str
    pid: str
    mnt: str

    @property
    def running(self) -> bool:
        """Whether its processes run now."""
        return self.state == "running"


@dataclass(frozen=True)
class Ledger:
    """The accounts of a pair since its first start or its last reset, over all producers and consumers."""

    sent: int
    received: int
    lost: int
    duplicated: int
    in_flight: int
    skipped: int
    received_by: dict[str, int]  # container to messages


class Sees(Protocol):
    """The questions that a check may ask. Each raises LabError where the lab does not answer."""

    @property
    def started_at(self) -> float:
        """When the exercise was started: seconds since 1970, by the clock of Prometheus."""

    @property
    def now(self) -> float:
        """When the check began, by the same clock."""

    def query(self, expression: str) -> list[Sample]:
        """The value of every series of an instant vector now."""

    def history(self, expression: str) -> list[Line]:
        """The value of every series of an instant vector at each second since the exercise was started."""

    def containers(self) -> list[SeenContainer]:
        """Every container of the project, by service."""

    def kernel_objects(self) -> KernelObjects:
        """The segments, queues and buffers, as the kernel exporter shows them."""

    def ledger(self, mechanism: str) -> Ledger:
        """The accounts of one pair, from the files of its containers."""

    def student(self) -> Judgement:
        """What the ledger of the other end says of the student's file, which is run for this question."""

    def files(self, service: str, directory: str) -> dict[str, int]:
        """The files of a container below `directory`, by their path within it: their bytes."""

    def text(self, service: str, path: str) -> str | None:
        """The first characters of a file of a container, also of one that has ended; None if it has no such file."""

    def speedups(self) -> list[Kept]:
        """The comparisons of `./lab speedup` since the exercise was started, the oldest first."""
