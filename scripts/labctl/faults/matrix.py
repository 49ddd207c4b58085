"""Every fault on every pair: what is predicted, and what is measured, one fault after the other, its pairs at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipclab import mechanisms
from labctl.faults import registry, running
from labctl.faults.fault import Fault, Scope, Target, has_name
from labctl.faults.measurement import Account, Measured, differences
from labctl.faults.prediction import Prediction
from labctl.faults.running import Running
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.waiting import wait_until

_LONGEST_S = 600  # a fault of the matrix is ended by the matrix; by the next command, where that is killed
_ON_S, _ON_QUICK_S = 8.0, 4.0
_HALT_S = 2.0  # of the end of its time: nothing received in it is "halted"
_LOOK_EVERY_S = 0.5
_SETTLES_WITHIN_S = 10.0
_STABLE_S = 1.5


ONLY_BY_NAME = "others' containers may end with it, so `./lab fault start` alone does it"


@dataclass(frozen=True)
class Cell:
    """One fault on one pair; `refused` is the reason where there is nothing to measure."""

    fault: Fault
    mechanism: str
    refused: str = ""
    predicted: Prediction | None = None
    measured: Measured | None = None

    @property
    def differs(self) -> list[str]:
        """In which points; none where it was not measured."""
        return differences(self.predicted, self.measured) if self.predicted and self.measured else []

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "fault": self.fault.name,
            "mechanism": self.mechanism,
            "refused": self.refused or None,
            "predicted": self.predicted.as_json() if self.predicted else None,
            "measured": self.measured.as_json() if self.measured else None,
            "differs": self.differs,
        }


def plan(running_pairs: Sequence[str], names: Sequence[str], *, quick: bool) -> list[tuple[Fault, list[str]]]:
    """The faults to do, each with its pairs."""
    wanted = [registry.fault(name) for name in names] or list(registry.all_faults().values())
    pairs = one_of_each_sharing(running_pairs) if quick else list(running_pairs)
    found = []
    for fault in wanted:
        targets = [name for name in registry.targets(fault) if name in running_pairs]
        if quick:
            targets = [name for name in targets if name in pairs] or targets[:1]
        if targets and fault.by_chance:
            found.append((fault, targets))
    return found


def is_only_by_name(fault: Fault) -> bool:
    """Whether the matrix leaves it out, and a person may do it."""
    return not fault.by_chance and not fault.told()


def one_of_each_sharing(names: Sequence[str]) -> list[str]:
    """The first pair of each kind of sharing."""
    first: dict[object, str] = {}
    for name in names:
        first.setdefault(mechanisms.load(name).traits.requires, name)
    return list(first.values())


def measure(lab: Lab, fault: Fault, pairs: Sequence[str], *, quick: bool) -> Iterator[Cell]:
    """One fault on these pairs at once: begun, waited for, ended, and what came of it.

    :raises LabError: a pair moves no messages before, or the fault cannot be done
    """
    strength = fault.strength.default if fault.strength else 0
    before = {name: _moving(lab, name) for name in pairs}
    began_at = time.time()
    begun: list[Running] = []
    refused: dict[str, str] = {}
    with running.none_left(lab):
        for target in [""] if fault.scope is Scope.LAB else pairs:
            try:
                begun.append(running.start(lab, fault, target, for_s=_LONGEST_S, keep=False))
            except BadInput as error:
                refused |= dict.fromkeys([target] if target else pairs, error.message)
        on = [name for name in pairs if name not in refused]
        halted, stays = _while_on(lab, begun, on, _ON_QUICK_S if quick else _ON_S)
        for it in begun:
            running.stop(lab, it)
    ended_at = time.monotonic()
    predicted = {name: fault.predict(mechanisms.load(name).traits, strength) for name in on}
    back = _back(lab, {name: p.back_within_s for name, p in predicted.items()}, ended_at)
    for name in pairs:
        if name in refused:
            yield Cell(fault, name, refused[name])
            continue
        after = _settled(lab, name)
        measured = Measured.between(
            before[name],
            after,
            halted=halted[name],
            back_s=back.get(name),
            errnos=_errnos(lab, name, time.time() - began_at),
            object_stays=stays.get(name),
        )
        yield Cell(fault, name, "", predicted[name], measured)


def _moving(lab: Lab, mechanism: str) -> Account:
    """The account of a pair that moves messages."""
    first = Account.of(lab, mechanism)
    last = [first]

    def moves() -> bool:
        last[0] = Account.of(lab, mechanism)
        return last[0].received > first.received

    if not wait_until(moves, 60, _LOOK_EVERY_S):
        raise LabError(f"{mechanism} moves no messages before the fault", hint=f"./lab status {mechanism}")
    return last[0]


def _while_on(
    lab: Lab, begun: Sequence[Running], pairs: Sequence[str], for_s: float
) -> tuple[dict[str, bool], dict[str, bool]]:
    """Whether messages stopped, and whether the name of the object is there, at the end of the time."""
    _let_pass(lab, begun, for_s - _HALT_S)
    first = {name: Account.of(lab, name).received for name in pairs}
    _let_pass(lab, begun, _HALT_S)
    halted = {name: Account.of(lab, name).received == first[name] for name in pairs}
    stays = {}
    for it in begun:
        if it.mechanism and has_name(mechanisms.load(it.mechanism).traits):
            target = Target(lab, it.mechanism, it.strength, it.before, it.container)
            stays[it.mechanism] = bool(target.read("look")["exists"])
    return halted, stays


def _let_pass(lab: Lab, begun: Sequence[Running], for_s: float) -> None:
    """Wait, and repeat what is repeated."""
    until = time.monotonic() + for_s
    due = {id(it): time.monotonic() + it.fault.every_s for it in begun if it.fault.every_s}

    def over() -> bool:
        for it in begun:
            if it.fault.every_s and time.monotonic() >= due[id(it)]:
                running.again(lab, it)
                due[id(it)] = time.monotonic() + it.fault.every_s
        return time.monotonic() >= until

    wait_until(over, for_s + 60, 0.1)


def _back(lab: Lab, within_s: Mapping[str, float], ended_at: float) -> dict[str, float]:
    """Pair to the seconds until messages arrived again at two looks in a row; what is late is left out."""
    seen: dict[str, list[int]] = {name: [] for name in within_s}
    back: dict[str, float] = {}

    def all_back() -> bool:
        for name in within_s:
            if name in back:
                continue
            now = time.monotonic()
            seen[name].append(Account.of(lab, name).received)
            counts = seen[name][-3:]
            if len(counts) == 3 and counts[0] < counts[1] < counts[2] and now - ended_at <= within_s[name]:
                back[name] = round(now - ended_at, 1)
        return len(back) == len(within_s)

    wait_until(all_back, max(within_s.values(), default=0), _LOOK_EVERY_S)
    return back


def _settled(lab: Lab, mechanism: str) -> Account:
    """The account, once no more messages are found lost."""
    last = [Account.of(lab, mechanism)]
    since = [time.monotonic()]

    def stable() -> bool:
        now = Account.of(lab, mechanism)
        if now.lost != last[0].lost:
            since[0] = time.monotonic()
        last[0] = now
        return time.monotonic() - since[0] >= _STABLE_S

    wait_until(stable, _SETTLES_WITHIN_S, _LOOK_EVERY_S)
    return last[0]


def _errnos(lab: Lab, mechanism: str, window_s: float) -> tuple[str, ...]:
    """What the producer got since the fault began."""
    counter = f"ipc_send_errors_total{{mechanism='{mechanism}'}}[{max(5, int(window_s))}s]"
    found = lab.prometheus.query(f"sum by (errno) (increase({counter})) > 0")
    return tuple(sorted(sample.labels["errno"] for sample in found))
