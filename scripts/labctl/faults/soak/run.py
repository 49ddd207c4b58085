"""The run of a soak: carries the plan out, reads the ledgers around every fault, and takes samples in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labctl.config.traits import traits_of
from labctl.faults import registry, running
from labctl.faults.fault import Fault, Scope
from labctl.faults.running import Running
from labctl.faults.soak import readings
from labctl.faults.soak.audit import Book, Cause, Reading
from labctl.faults.soak.plan import Choice, Pause, Start, Stop, plan
from labctl.faults.soak.readings import Samples
from labctl.lab.containers import Container
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.waiting import wait_until

SAMPLE_EVERY_S = 10.0
_LOOK_EVERY_S = 0.5
_BACK_WITHIN_S = 90.0  # beyond what is predicted: two faults may follow each other on one pair, on a busy machine
# A loss shows with the next message that arrives; in UDP two seconds later. So a fault that ended explains it still.
_EXPLAINS_FOR_S = 30.0
_REST_S = 0.05
_SETTLING_S = 30.0  # before the first reading and after the last one


@dataclass
class Done:
    """A fault that was carried out, or could not be; times are seconds since the beginning of the soak."""

    number: int
    fault: str
    mechanism: str
    began_s: float
    ended_s: float | None = None
    back_after_s: dict[str, float] = field(default_factory=dict)  # by mechanism
    refused: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "number": self.number,
            "fault": self.fault,
            "mechanism": self.mechanism or None,
            "began_s": round(self.began_s, 3),
            "ended_s": None if self.ended_s is None else round(self.ended_s, 3),
            "back_after_s": {name: round(after, 3) for name, after in self.back_after_s.items()},
            "refused": self.refused or None,
        }


@dataclass
class _Active:
    """A fault that runs, and when it was done the last time."""

    it: Running
    done: Done
    choice: Choice
    again_at: float


@dataclass(frozen=True)
class _Away:
    """A pair after the end of a fault, until messages arrive again."""

    done: Done
    since: float
    received: int


def choices(mechanisms: list[str]) -> list[Choice]:
    """Every fault on every pair where it makes sense and a soak may draw it, in one order."""
    found = []
    for name, fault in sorted(registry.all_faults().items()):
        if not fault.by_chance or fault.told():
            continue
        reached = frozenset(registry.targets(fault)) & set(mechanisms)
        if fault.scope is Scope.LAB and reached:
            found.append(Choice(name, "", fault.touches, reached))
        elif fault.scope is Scope.PAIR:
            found += [Choice(name, mechanism, fault.touches, frozenset({mechanism})) for mechanism in sorted(reached)]
    return found


class Soak:
    """One soak of the pairs that run."""

    def __init__(
        self, lab: Lab, pairs: Mapping[str, tuple[Container, Container]], first: Mapping[str, Reading], seed: int
    ) -> None:
        self.books = {mechanism: Book(mechanism, reading) for mechanism, reading in first.items()}
        self.done: list[Done] = []
        self.samples = Samples()
        self.findings: list[str] = []
        self.volumes: set[str] = set()  # of the faults' own containers
        self._lab = lab
        self._pairs = pairs
        self._holder = readings.holder_of(lab.containers())
        self._plan = plan(seed, choices(sorted(pairs)))
        self._began = time.monotonic()
        self._sample_at = self._began
        self._look_at = self._began
        self._active: dict[int, _Active] = {}
        self._ended: list[tuple[float, Choice]] = []
        self._away: dict[str, _Away] = {}

    @property
    def elapsed_s(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def run(self, for_s: float, tell: Callable[[str], None]) -> None:
        """Carry out the plan for so long; `tell` what happens. Whatever ends it, every fault is put back."""
        with running.none_left(self._lab):
            while self.elapsed_s < for_s:
                step = next(self._plan)
                match step:
                    case Pause():
                        self._pass(min(step.seconds, for_s - self.elapsed_s), tell)
                    case Start():
                        self._start(step)
                    case Stop():
                        self._stop(step.number)
            for number in list(self._active):
                self._stop(number)
        self._wait_for_all(tell)

    def finish(self, last: Mapping[str, Reading]) -> None:
        """Enter the readings of a moment with nothing in flight, and what the kernel says of them.

        :raises PrometheusSilent: Prometheus does not answer
        """
        for mechanism, reading in last.items():
            book = self.books[mechanism]
            book.enter(reading, self._causes(mechanism))
            if not traits_of(mechanism).reliable:
                book.explain_drops(readings.kernel_drops(self._lab, mechanism, self.elapsed_s + _SETTLING_S))

    def in_words(self) -> str:
        """What goes on now."""
        now = ", ".join(active.it.in_words() for active in self._active.values()) or "no fault"
        received = sum(book.received for book in self.books.values())
        return f"{self.elapsed_s / 60:.1f} min, {len(self.done)} faults, {received:,} messages; {now}"

    def _start(self, step: Start) -> None:
        choice = step.choice
        self._end_explanations()
        for mechanism in sorted(choice.reaches):
            self._wait_for(mechanism)
        for mechanism in sorted(choice.reaches):
            self._read(mechanism)
        done = Done(step.number, choice.fault, choice.mechanism, self.elapsed_s)
        self.done.append(done)
        fault = registry.fault(choice.fault)
        for_s = step.lasts_s + _BACK_WITHIN_S  # the soak ends it; this is for a soak that was killed
        try:
            it = running.start(self._lab, fault, choice.mechanism, for_s=for_s, keep=False)
        except (BadInput, LabError) as error:
            done.refused = error.message
            done.ended_s = self.elapsed_s
            if not isinstance(error, BadInput):  # it may have begun, and was put back: what it cost is its own
                self._ended.append((time.monotonic(), choice))
            return
        self.volumes |= readings.volumes_of(it.container)
        self._active[step.number] = _Active(it, done, choice, time.monotonic() + fault.every_s)

    def _stop(self, number: int) -> None:
        active = self._active.get(number)
        if active is None:  # it was refused
            return
        del self._active[number]
        try:
            running.stop(self._lab, active.it)
        except LabError as error:
            self.findings.append(f"{active.it.in_words()} (fault {number}) cannot be put back: {error.message}")
        now = time.monotonic()
        active.done.ended_s = self.elapsed_s
        self._ended.append((now, active.choice))
        self._end_explanations()
        for mechanism in active.choice.reaches:
            self._read(mechanism)
            self._away[mechanism] = _Away(active.done, now, self.books[mechanism].last.received)

    def _pass(self, seconds: float, tell: Callable[[str], None]) -> None:
        """Let time go by: take samples, repeat what is to be repeated, and see who is back."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            for active in self._active.values():
                if active.it.fault.every_s and now >= active.again_at:
                    running.again(self._lab, active.it)
                    active.again_at = now + active.it.fault.every_s
            if now >= self._sample_at:
                self._sample_at = now + SAMPLE_EVERY_S
                self.samples.take(self._lab, self._holder)
            if now >= self._look_at:
                self._look_at = now + _LOOK_EVERY_S
                self._look()
                tell(self.in_words())
            time.sleep(max(0.0, min(_REST_S, until - time.monotonic())))

    def _end_explanations(self) -> None:
        """Read the pairs of the faults whose time to explain losses is over: what was lost until now is still theirs.

        Without that reading, such a loss would show at the next one, when nothing explains it.
        """
        now = time.monotonic()
        over = [it for it in self._ended if now - it[0] >= _EXPLAINS_FOR_S]
        unread = {m for m in {m for _, choice in over for m in choice.reaches} if not self._read(m)}
        self._ended = [it for it in self._ended if it not in over or it[1].reaches & unread]

    def _look(self) -> None:
        """Which pairs are back from a fault."""
        self._end_explanations()
        for mechanism in list(self._away):
            away = self._away[mechanism]
            self._read(mechanism)
            if self.books[mechanism].last.received > away.received:
                away.done.back_after_s[mechanism] = time.monotonic() - away.since
                del self._away[mechanism]

    def _wait_for(self, mechanism: str) -> None:
        """Until a pair is back, unless another fault is on it; one that does not come back is a finding, once."""
        if mechanism not in self._away or self._faults_on(mechanism):
            return

        def is_back() -> bool:
            self._look()
            return mechanism not in self._away

        if not wait_until(is_back, _BACK_WITHIN_S):
            away = self._away.pop(mechanism)
            self.findings.append(
                f"{mechanism} moved no message within {time.monotonic() - away.since:.0f} s of the end of "
                f"{away.done.fault} (fault {away.done.number})"
            )

    def _wait_for_all(self, tell: Callable[[str], None]) -> None:
        for mechanism in self._pairs:
            tell(f"waiting for messages of {mechanism}")
            self._wait_for(mechanism)

    def _read(self, mechanism: str) -> bool:
        """Enter what the ledgers say now, with the faults that explain it; False where they cannot be read."""
        producer, consumer = self._pairs[mechanism]
        if reading := readings.ledgers(producer.docker, consumer.docker):
            self.books[mechanism].enter(reading, self._causes(mechanism))
            return True
        # A fault made a container anew.
        self._pairs = {**self._pairs, mechanism: readings.sides(self._lab.containers(), mechanism)}
        return False

    def _faults_on(self, mechanism: str) -> list[_Active]:
        return [active for active in self._active.values() if mechanism in active.choice.reaches]

    def _causes(self, mechanism: str) -> list[Cause]:
        lately = [choice for _, choice in self._ended if mechanism in choice.reaches]
        on = [active.choice for active in self._faults_on(mechanism)]
        return [self._cause(registry.fault(choice.fault), mechanism) for choice in lately + on]

    @staticmethod
    def _cause(fault: Fault, mechanism: str) -> Cause:
        prediction = fault.predict(traits_of(mechanism), fault.strength.default if fault.strength else 0)
        return Cause(fault.name, prediction.reasons, fault.corrupts)
