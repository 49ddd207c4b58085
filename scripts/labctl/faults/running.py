"""Faults that run: their beginning, their end, and what runs now.

No function here takes the lock of the lab: whoever changes the lab holds it (`labctl.lab.project_lock`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests
from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.config.paths import ROOT
from labctl.faults import container as fault_container
from labctl.faults import registry
from labctl.faults.container import Record
from labctl.faults.fault import Fault, Scope, Target
from labctl.grafana import annotation
from labctl.lab.containers import NotThere, of_pair, require_running, seconds
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import say
from labctl.terminal.signals import held_back

DEFAULT_S = 60
_STARTS_WITHIN_S = 60
KEEPER = "labctl.faults.keeper"


@dataclass(frozen=True)
class Running:
    """One fault on one pair, or on the lab; the times are seconds since 1970."""

    fault: Fault
    mechanism: str
    strength: int
    began_at: float
    ends_at: float
    before: Mapping[str, Any]
    container: DockerContainer

    @property
    def left_s(self) -> float:
        """How long it goes on; below 0 where its end is overdue."""
        return self.ends_at - time.time()

    def in_words(self) -> str:
        """The fault and its pair, with its strength."""
        return words(self.fault, self.mechanism, self.strength)

    def left_in_words(self) -> str:
        """The fault, and how long it goes on."""
        left = f"on for another {self.left_s:.0f} s" if self.left_s > 0 else "over, and not yet put back"
        return f"fault {self.in_words()}: {left}"

    def __str__(self) -> str:
        """One line, with its hint."""
        return f"{self.left_in_words()} (hint: ./lab fault stop {self.fault.name})"

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "fault": self.fault.name,
            "mechanism": self.mechanism or None,
            "strength": self.strength if self.fault.strength else None,
            "began_at": self.began_at,
            "ends_at": self.ends_at,
        }


def words(fault: Fault, mechanism: str, strength: int) -> str:
    """Such as "latency of tcp, 50 ms"."""
    of = f" of {mechanism}" if mechanism else ""
    how = f", {strength} {fault.strength.unit}" if fault.strength else ""
    return f"{fault.name}{of}{how}"


def check(fault: Fault, mechanism: str, strength: int | None, active: Sequence[Running]) -> int:
    """The strength to use.

    :raises BadInput: the fault makes no sense there, another one excludes it, or the strength is out of its limits
    """
    if reason := registry.refusal(fault, mechanism):
        what = f"{fault.name} {mechanism}".strip()
        raise BadInput(f"{what}: {reason}", hint="./lab fault list shows what each fault is for")
    if reason := registry.exclusion(fault, mechanism, active):
        raise BadInput(f"{fault.name} {mechanism}: {reason}", hint="./lab fault stop ends it")
    limits = fault.strength
    if limits is None:
        if strength is not None:
            raise BadInput(f"--strength {strength}: {fault.name} has no strength", hint="leave it out")
        return 0
    wanted = limits.default if strength is None else strength
    if not limits.lowest <= wanted <= limits.highest:
        raise BadInput(
            f"--strength {wanted}: expected {limits.lowest} to {limits.highest} {limits.unit}",
            hint=f"--strength {limits.default}",
        )
    return wanted


def start(
    lab: Lab, fault: Fault, mechanism: str, *, strength: int | None = None, for_s: float = DEFAULT_S, keep: bool = True
) -> Running:
    """Begin a fault. Interrupted or failed, it leaves nothing.

    :param keep: a process in the background ends it in time; else the caller does, or the next `./lab` command
    :raises BadInput: see `check`
    :raises LabError: the pair does not run, or it cannot be done
    """
    wanted = check(fault, mechanism, strength, find(lab))
    _require(lab, fault, mechanism)
    at = Target(lab, mechanism, wanted, {})
    before = fault.before(at)
    record = Record(mechanism, wanted, for_s, before)
    made: DockerContainer | None = None
    try:
        with held_back():  # the engine may have made what is not known here yet
            made = fault_container.make(lab, fault, Target(lab, mechanism, wanted, before), record)
        it = _running(fault, made)
        with _said(f"{it.in_words()} cannot begin"):
            fault.begin(_target(lab, it))
        if keep:
            _keep(lab, it)
        _mark(lab, it, f"fault: {it.in_words()}, for {for_s:.0f} s", it.began_at)
    except BaseException:
        with held_back():  # a second Ctrl-C waits until everything is put back
            if made is not None:
                _put_back(lab, _running(fault, made))
        raise
    return it


@contextmanager
def none_left(lab: Lab) -> Iterator[None]:
    """If the block ends with an exception, Ctrl-C too, every fault that began in it is ended, by the engine's records.

    Whoever started a fault may not have noted it yet.
    """
    before = {it.container.id for it in find(lab)}
    try:
        yield
    except BaseException:
        with held_back():
            for it in find(lab):
                if it.container.id not in before:
                    _stop_or_say(lab, it)
        raise


def again(lab: Lab, it: Running) -> None:
    """Once more, for a fault that is repeated."""
    with suppress(APIError, NotFound, LabError):  # in between, what it is done to may be down
        it.fault.again(_target(lab, it))


def stop(lab: Lab, it: Running) -> None:
    """Put everything back, and take the fault's container away.

    :raises LabError: something cannot be put back; the fault stays, so that the next command tries again
    """
    _put_back(lab, it)
    _mark(lab, it, f"fault over: {it.in_words()}", time.time())


def _stop_or_say(lab: Lab, it: Running) -> None:
    """One that cannot be put back keeps no other one from its end."""
    try:
        stop(lab, it)
    except LabError as error:
        say(str(error))


def find(lab: Lab) -> list[Running]:
    """What runs, oldest first, whoever started it.

    :raises LabError: a record cannot be read
    """
    known = registry.all_faults()
    found = []
    for container in fault_container.listed(lab.client, lab.project):
        with suppress(NotFound):
            container.reload()
            if fault := known.get(container.labels[fault_container.LABEL]):
                found.append(_running(fault, container))
    return found


def _running(fault: Fault, container: DockerContainer) -> Running:
    """As its container has it, which was inspected. A container that the engine started anew began no new fault.

    :raises LabError: its record cannot be read
    """
    record = fault_container.record_of(fault, container)
    started_at = seconds(container.attrs["State"]["StartedAt"]) or time.time()
    began_at = min(started_at, seconds(container.attrs["Created"]) + _STARTS_WITHIN_S)
    return Running(
        fault,
        record.mechanism,
        record.strength,
        began_at,
        began_at + record.for_s,
        record.before,
        container,
    )


def end_overdue(lab: Lab) -> list[Running]:
    """End those whose time is over: of a machine that slept, or whose keeper was killed."""
    over = [it for it in find(lab) if it.left_s <= 0]
    for it in over:
        stop(lab, it)
        say(f"fault over: {it.in_words()}")
    return over


def end_all(lab: Lab, mechanisms: Sequence[str] = ()) -> list[Running]:
    """End every fault, or those of these pairs and of the lab."""
    found = [it for it in find(lab) if not mechanisms or not it.mechanism or it.mechanism in mechanisms]
    for it in found:
        stop(lab, it)
        say(f"fault ended: {it.in_words()}")
    return found


def _target(lab: Lab, it: Running) -> Target:
    return Target(lab, it.mechanism, it.strength, it.before, it.container)


def _put_back(lab: Lab, it: Running) -> None:
    with _said(f"{it.in_words()} cannot be put back"), suppress(NotFound, NotThere):
        it.fault.end(_target(lab, it))
    fault_container.remove(it.container)


@contextmanager
def _said(what: str) -> Iterator[None]:
    """An engine's refusal becomes one line."""
    try:
        yield
    except (APIError, requests.RequestException) as error:
        raise LabError(f"{what}: {one_line(error)}", hint="./lab fault stop tries again; ./lab status") from error


def _require(lab: Lab, fault: Fault, mechanism: str) -> None:
    found = lab.containers()
    require_running(found, lab.project)
    if fault.scope is Scope.LAB:
        if not any(c.service == "holder" and c.running for c in found):
            raise LabError(f"the holder of {lab.project} does not run", hint="./lab up sysv_shm")
        return
    sides = [c for c in of_pair(found, mechanism) if not c.is_one_off]
    if len(sides) != 2 or not all(c.running or c.state == "paused" for c in sides):
        states = ", ".join(f"{c.label} is {c.state_in_words()}" for c in sides) or "it was not started"
        raise LabError(f"{mechanism} is no running pair: {states}", hint=f"./lab up {mechanism}")


def _mark(lab: Lab, it: Running, text: str, at_s: float) -> None:
    mechanisms = [it.mechanism] if it.mechanism else registry.targets(it.fault)
    annotation.note(lab.configuration, lab.containers(), "fault", mechanisms, text, at_s)


def _keep(lab: Lab, it: Running) -> None:
    """Leave a process that outlives this terminal, and ends the fault in time."""
    environment = {**os.environ, **lab.configuration.environment()}
    subprocess.Popen(
        [sys.executable, "-m", KEEPER, str(it.container.id)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # neither Ctrl-C nor the end of the terminal reaches it
    )
