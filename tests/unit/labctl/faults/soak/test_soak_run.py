"""The run of a soak: which readings of a pair's ledgers it makes, and which fault explains what they show."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from labctl.faults import registry, running
from labctl.faults.running import Running
from labctl.faults.soak import readings, run
from labctl.faults.soak.audit import Reading
from labctl.faults.soak.plan import Start
from labctl.terminal.errors import BadInput, LabError

PAIR = "posix_mq"


class Clock(SimpleNamespace):
    """Time that passes by hand."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def _reading(received: int, lost: int) -> Reading:
    return Reading(received + lost, received, {"channel": 0, "producer_restart": 0, "consumer_restart": lost}, 0, 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(run, "time", clock)
    return clock


@pytest.fixture
def ledgers(monkeypatch: pytest.MonkeyPatch) -> list[Reading | None]:
    """What the ledgers say from now on: the last one."""
    said: list[Reading | None] = [_reading(0, 0)]
    monkeypatch.setattr(readings, "ledgers", lambda *_: said[-1])
    monkeypatch.setattr(readings, "sides", lambda *_: (Mock(), Mock()))
    monkeypatch.setattr(running, "stop", lambda *_: None)
    return said


def _with_a_fault_that_ended(clock: Clock) -> run.Soak:
    """A soak whose only fault ends at 10 s."""
    lab = Mock()
    lab.containers.return_value = []
    soak = run.Soak(lab, {PAIR: (Mock(), Mock())}, {PAIR: _reading(0, 0)}, 1)
    (choice,) = (c for c in run.choices([PAIR]) if c.fault == "kill-holder")
    it = Running(registry.fault("kill-holder"), "", 0, 0.0, 0.0, {}, Mock())
    soak._active[1] = run._Active(it, run.Done(1, "kill-holder", "", 0.0), choice, 0.0)
    clock.now = 10.0
    soak._stop(1)
    return soak


def test_a_loss_after_the_pair_was_back_is_explained_while_the_fault_explains(
    clock: Clock, ledgers: list[Reading | None]
) -> None:
    soak = _with_a_fault_that_ended(clock)
    clock.now = 10.5
    ledgers.append(_reading(50, 0))
    soak._look()
    assert soak._away == {}, "messages arrive, so nobody looks at this pair any more"
    ledgers.append(_reading(2000, 10))
    for clock.now in (20.0, 39.5, 40.5, 60.0):
        soak._look()
    soak.finish({PAIR: _reading(9000, 10)})
    (loss,) = soak.books[PAIR].losses
    assert (loss.count, loss.faults) == (10, ("kill-holder",))


def test_a_loss_after_that_time_is_a_finding(clock: Clock, ledgers: list[Reading | None]) -> None:
    soak = _with_a_fault_that_ended(clock)
    clock.now = 40.5
    ledgers.append(_reading(2000, 0))
    soak._look()
    clock.now = 41.0
    ledgers.append(_reading(3000, 10))
    soak._read(PAIR)
    assert soak.books[PAIR].findings() == [f"{PAIR}: 10 messages lost (consumer_restart), which no fault explains"]


def test_a_fault_explains_on_until_the_ledgers_can_be_read(clock: Clock, ledgers: list[Reading | None]) -> None:
    soak = _with_a_fault_that_ended(clock)
    clock.now = 40.5
    ledgers.append(None)  # a container is being made anew
    soak._look()
    clock.now = 41.0
    ledgers.append(_reading(2000, 10))
    soak._look()
    assert soak.books[PAIR].findings() == []
    ledgers.append(_reading(2001, 11))
    soak._read(PAIR)
    assert len(soak.books[PAIR].findings()) == 1


@pytest.mark.parametrize(
    ("error", "findings"), [(LabError("cannot begin", hint=""), 0), (BadInput("is on there already", hint=""), 1)]
)
def test_a_fault_that_failed_while_it_began_explains_and_one_that_was_refused_does_not(
    clock: Clock, ledgers: list[Reading | None], monkeypatch: pytest.MonkeyPatch, error: Exception, findings: int
) -> None:
    del clock
    monkeypatch.setattr(running, "start", Mock(side_effect=error))
    lab = Mock()
    lab.containers.return_value = []
    soak = run.Soak(lab, {PAIR: (Mock(), Mock())}, {PAIR: _reading(0, 0)}, 1)
    (choice,) = (c for c in run.choices([PAIR]) if c.fault == "kill-both")
    soak._start(Start(1, choice, 5.0))
    ledgers.append(_reading(50, 1))
    soak._read(PAIR)
    assert soak.done[0].refused == str(error.args[0])
    assert len(soak.books[PAIR].findings()) == findings
