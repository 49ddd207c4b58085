"""The record of a running fault: its times, its words, and its end where there is nothing left to put back."""

from __future__ import annotations

import json
import signal
import time
from typing import Any, cast

import pytest
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from labctl.faults import container as fault_container
from labctl.faults import registry, running
from labctl.faults.container import LABEL, RECORD_LABEL
from labctl.faults.fault import Fault, Target
from labctl.lab.containers import NotThere
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError

MADE, STARTED = "2026-11-28T10:00:00.0Z", "2026-11-28T10:00:02.5Z"


class Recorded:
    """A container as the engine tells of it, which notes its removal."""

    def __init__(self, made: str = MADE, started: str = STARTED, for_s: float = 60.0) -> None:
        record = {"mechanism": "tcp", "strength": 50, "for_s": for_s, "before": {"address": "172.20.0.3"}}
        self.labels = {LABEL: "latency", RECORD_LABEL: json.dumps(record)}
        self.attrs = {"Created": made, "State": {"StartedAt": started}}
        self.id = str(id(self))
        self.removed = False

    def remove(self, **_: object) -> None:
        self.removed = True


def it_of(container: Recorded) -> running.Running:
    return running._running(registry.fault("latency"), cast(Container, container))


def test_the_time_counts_from_the_start_of_its_container() -> None:
    it = it_of(Recorded())
    assert it.ends_at - it.began_at == 60
    assert it.began_at == pytest.approx(it_of(Recorded(started=MADE)).began_at + 2.5)
    assert it.left_s < 0
    assert (it.mechanism, it.strength, it.before) == ("tcp", 50, {"address": "172.20.0.3"})
    assert str(it) == "fault latency of tcp, 50 ms: over, and not yet put back (hint: ./lab fault stop latency)"


def test_an_engine_that_starts_its_container_anew_does_not_begin_it_anew() -> None:
    later = it_of(Recorded(started="2026-11-28T12:00:00.0Z"))
    assert later.ends_at - it_of(Recorded()).ends_at < 60


def test_one_that_is_on_says_how_long() -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime())
    assert "on for another" in str(it_of(Recorded(made=now, started=now)))


class _Ends(Fault):
    name, title, does, source = "ends", "ends", "ends", "none"
    touches = frozenset({"nothing"})

    def __init__(self, error: Exception) -> None:
        self._error = error

    def predict(self, traits: Any, strength: int) -> Any:
        raise NotImplementedError

    def begin(self, at: Target) -> None:
        raise NotImplementedError

    def end(self, at: Target) -> None:
        del at
        raise self._error


@pytest.mark.parametrize("error", [NotThere("fifo-consumer is not there", hint="./lab up"), NotFound("no container")])
def test_what_was_removed_needs_no_putting_back(error: Exception) -> None:
    container = Recorded()
    it = running._running(_Ends(error), cast(Container, container))
    running._put_back(cast(Lab, None), it)
    assert container.removed


def test_an_end_that_fails_leaves_the_record_and_says_why_in_one_line() -> None:
    container = Recorded()
    it = running._running(_Ends(APIError("the engine says no")), cast(Container, container))
    with pytest.raises(LabError, match="cannot be put back: the engine says no"):
        running._put_back(cast(Lab, None), it)
    assert not container.removed


class _Begins(Fault):
    name, title, does, source = "begins", "begins", "begins", "none"
    touches = frozenset({"nothing"})

    def __init__(self, *, interrupted: bool) -> None:
        self._interrupted = interrupted
        self.is_on = False

    def predict(self, traits: Any, strength: int) -> Any:
        raise NotImplementedError

    def begin(self, at: Target) -> None:
        del at
        self.is_on = True
        if self._interrupted:
            signal.raise_signal(signal.SIGINT)

    def end(self, at: Target) -> None:
        del at
        self.is_on = False


@pytest.mark.parametrize("at", ["creation", "beginning", "mark"])
def test_an_interrupted_start_leaves_no_container_wherever_it_was(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    fault, container = _Begins(interrupted=at == "beginning"), Recorded()

    def made(*_: object) -> Recorded:
        if at == "creation":  # the engine has made it, and nobody knows it yet
            signal.raise_signal(signal.SIGINT)
        return container

    def marked(*_: object) -> None:
        if at == "mark":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fault_container, "make", made)
    monkeypatch.setattr(running, "find", lambda _: [])
    monkeypatch.setattr(running, "_require", lambda *_: None)
    monkeypatch.setattr(running, "_mark", marked)
    monkeypatch.setattr(registry, "refusal", lambda *_: "")
    with pytest.raises(KeyboardInterrupt):
        running.start(cast(Lab, None), fault, "tcp", keep=False)
    assert container.removed
    assert not fault.is_on


def test_what_began_in_a_block_that_is_interrupted_is_ended_and_what_was_on_before_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earlier, begun = Recorded(), Recorded()
    on = [running._running(_Begins(interrupted=False), cast(Container, earlier))]
    monkeypatch.setattr(running, "find", lambda _: list(on))
    monkeypatch.setattr(running, "_mark", lambda *_: None)

    def interrupted() -> None:
        with running.none_left(cast(Lab, None)):
            on.append(running._running(_Begins(interrupted=False), cast(Container, begun)))
            signal.raise_signal(signal.SIGINT)  # before anybody noted it

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert begun.removed
    assert not earlier.removed
