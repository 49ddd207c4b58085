"""What an exercise needs of the running lab: its pairs, in their places, and the probes if it looks at the matrix."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ipclab.matrix.placement import Placement
from labctl.config.compose_file import matrix_services
from labctl.lab.lab import Lab
from labctl.place import moved_consumers
from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until
from labctl.workshop.exercise.exercise import Exercise

_SEEN_WITHIN_S = 10  # Prometheus looks up a new address every 2 s, and scrapes every second


@dataclass(frozen=True)
class Missing:
    """What an exercise lacks."""

    pairs: tuple[str, ...] = ()  # a side of which does not run
    apart: Mapping[str, Placement] = field(default_factory=dict)  # pairs whose consumer `./lab place` moved
    services: tuple[str, ...] = ()  # of the responder and its probes

    def __bool__(self) -> bool:
        return bool(self.pairs or self.apart or self.services)

    def facts(self) -> str:
        """What is wrong, in words."""
        apart = [f"the consumer of {pair} is placed apart, at {place}" for pair, place in self.apart.items()]
        return " and ".join([*_not_running(self.pairs), *_not_running(self.services), *apart])

    def command(self) -> str:
        """The one command that starts all of it, or moves it back."""
        if self.services:
            return "./lab up"  # without a name: the probes belong to the whole lab
        if not self.pairs and len(self.apart) == 1:
            return f"./lab place {next(iter(self.apart))} --back"
        return f"./lab up {' '.join(sorted({*self.pairs, *self.apart}))}"  # which moves a consumer back too


def _not_running(names: Collection[str]) -> list[str]:
    return [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not running"] if names else []


def missing(
    exercise: Exercise, ends: Collection[tuple[str, bool]], services: Collection[str], placed: Mapping[str, Placement]
) -> Missing:
    """What an exercise lacks.

    :param ends: of the running ones, mechanism and whether it is the producer
    :param services: of Compose, those with a running container
    :param placed: the pairs whose consumer stands elsewhere
    """
    incomplete = [pair for pair in exercise.pairs if not {(pair, True), (pair, False)} <= {*ends}]
    apart = {pair: placed[pair] for pair in incomplete if pair in placed and (pair, True) in ends}
    wanted = matrix_services() if exercise.probes else []
    return Missing(
        pairs=tuple(pair for pair in incomplete if pair not in apart),
        apart=apart,
        services=tuple(name for name in wanted if name not in services),
    )


def require(lab: Lab, exercise: Exercise) -> None:
    """Everything that the exercise needs runs, in its place.

    :raises LabError: the lab does not run, or something is missing; the hint has the command for all of it
    """
    found = lab.running()
    ends = {(c.mechanism, c.is_producer) for c in found if c.running and c.mechanism}
    services = {c.service for c in found if c.running}
    lacks = missing(exercise, ends, services, {})
    if lacks.pairs:  # only then the engines are asked for consumers that were moved
        placed = {it.mechanism: it.placement for it in moved_consumers.all_placed(lab.client, found, lab.project)}
        lacks = missing(exercise, ends, services, placed)
    if lacks:
        probes = " and the probes" if exercise.probes else ""
        raise LabError(
            f"exercise {exercise.number} needs {', '.join(exercise.pairs)}{probes}, and {lacks.facts()}",
            hint=lacks.command(),
        )


def require_pairs_exist(lab: Lab, exercise: Exercise) -> None:
    """A check judges a lab that is there, whatever the student did to its pairs.

    :raises LabError: the lab does not run, or a pair was removed
    """
    there = {c.mechanism for c in lab.running()}
    if absent := [pair for pair in exercise.pairs if pair not in there]:
        raise LabError(
            f"exercise {exercise.number} needs {', '.join(absent)}, and there is no container of it",
            hint=f"./lab up {' '.join(absent)}",
        )


def require_measurements(lab: Lab, exercise: Exercise, started_at: float) -> None:
    """Prometheus has seen each pair since the exercise was started; else "nothing was lost" would prove nothing.

    Who checks at once, or a pair that was just started, waits for its first scrape.

    :raises LabError: it has not
    """
    unseen = _unseen(lab, exercise, started_at)
    if unseen:
        with step(f"Waiting for measurements of {', '.join(unseen)}"):
            wait_until(lambda: not _unseen(lab, exercise, started_at), _SEEN_WITHIN_S)
        unseen = _unseen(lab, exercise, started_at)
    if unseen:
        raise LabError(
            f"Prometheus has measured nothing of {', '.join(unseen)} since exercise {exercise.number} was started",
            hint=f"./lab status {unseen[0]}",
        )


def _unseen(lab: Lab, exercise: Exercise, started_at: float) -> list[str]:
    since_s = max(1, round(lab.prometheus.now() - started_at))
    seen = lab.prometheus.query(f"count by (mechanism) (last_over_time(ipc_load_rate[{since_s}s]))")
    known = {sample.labels.get("mechanism") for sample in seen}
    return [pair for pair in exercise.pairs if pair not in known]
