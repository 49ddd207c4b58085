"""One table of all labs of a class, from each lab's own Prometheus and from the engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import docker

from labctl.lab import containers
from labctl.lab.costs import CostMeter
from labctl.lab.prometheus import Prometheus, PrometheusSilent
from labctl.measured.pairs import PairMeasures, measure
from labctl.terminal.printing import count, duration, new_table, show_lines, show_table
from labctl.workshop.classroom.roster import Student

_AT_ONCE = 4


@dataclass(frozen=True)
class Row:
    """One lab, as it is now. None is "not measured"."""

    student: Student
    containers: int
    running: int
    restarts: int
    pairs: Sequence[PairMeasures] | None  # None: Prometheus does not answer
    memory_bytes: int
    cpu_share: float

    @property
    def moving(self) -> int:
        """How many pairs move messages."""
        return sum(bool(pair.rate) for pair in self.pairs or ())

    @property
    def well(self) -> bool:
        """Whether every container runs and every pair moves messages."""
        return 0 < self.containers == self.running and self.moving == len(self.pairs or ()) > 0

    @property
    def page(self) -> str:
        """Where its page is, on the engine's machine."""
        return f"127.0.0.1:{self.student.environment['LAB_PAGE_PORT']}"

    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        if not self.containers:
            return (self.student.project, self.student.seed, "down", "-", "-", "-", "-", "-", "-", self.page)
        pairs = self.pairs or ()
        slowest = max(
            (pair.one_way_p99_seconds for pair in pairs if pair.one_way_p99_seconds is not None), default=None
        )
        return (
            self.student.project,
            self.student.seed,
            f"{self.running} of {self.containers}" + (f", {self.restarts} restarts" if self.restarts else ""),
            ("Prometheus silent" if self.running else "-") if self.pairs is None else f"{self.moving} of {len(pairs)}",
            count(sum(pair.rate or 0 for pair in pairs)) if pairs else "-",
            duration(slowest),
            count(sum(pair.lost or 0 for pair in pairs)) if pairs else "-",
            f"{self.memory_bytes / (1 << 20):.0f} MiB",
            f"{self.cpu_share:.0%}",
            self.page,
        )


HEADINGS = (
    "lab",
    "seed",
    "containers\nrun",
    "pairs\nmove",
    "messages\n/s",
    "slowest\np99",
    "lost",
    "memory",
    "CPU",
    "page",
)


def read(client: docker.DockerClient, students: Sequence[Student]) -> list[Row]:
    """The labs, a few at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda student: _row(client, student), students))


def show(rows: Sequence[Row]) -> None:
    """The table, and what all labs take together."""
    table = new_table(gap=1)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number < 2 or heading == "page" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row.cells())
    show_table(table)
    running = [row for row in rows if row.running]
    memory, share = sum(row.memory_bytes for row in rows), sum(row.cpu_share for row in rows)
    show_lines(
        [
            f"{len(running)} of {len(rows)} labs run: {sum(row.running for row in rows)} containers, "
            f"{memory / (1 << 20):.0f} MiB, "
            f"{share:.0%} of a CPU. The engine's own processes are not in it.",
            "One lab: `. class/LAB.sh`, then any ./lab command. Addresses are of this machine.",
        ]
    )


def _row(client: docker.DockerClient, student: Student) -> Row:
    found = containers.of_project(client, student.project)
    meter = CostMeter(found)
    pairs: Sequence[PairMeasures] | None = []
    if mechanisms := containers.mechanisms_of(found):
        try:
            pairs = measure(Prometheus(student.port("LAB_PROMETHEUS_PORT")), mechanisms)
        except PrometheusSilent:
            pairs = None
    costs = meter.read().values()
    return Row(
        student=student,
        containers=len(found),
        running=sum(container.running for container in found),
        restarts=sum(container.restarts for container in found),
        pairs=pairs,
        memory_bytes=sum(cost.memory_bytes or 0 for cost in costs),
        cpu_share=sum(cost.cpu_share or 0 for cost in costs),
    )
