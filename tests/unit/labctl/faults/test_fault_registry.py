"""The faults by name: there are enough, each says what it is, where it makes no sense, and what it excludes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Persistence, Sharing, Switch
from labctl.config import compose_file
from labctl.faults import registry
from labctl.faults.fault import Fault, Scope
from labctl.faults.prediction import ANY_REASON, Loss
from labctl.faults.running import Running, check
from labctl.terminal.errors import BadInput

FAULTS = list(registry.all_faults().values())
DONE = [fault for fault in FAULTS if not fault.told()]
CELLS = [(fault, name) for fault in DONE for name in registry.targets(fault)]


@dataclass(frozen=True)
class _On(Running):
    """A fault that is on, without a container."""


def on(name: str, mechanism: str) -> Running:
    return _On(registry.fault(name), mechanism, 0, 0.0, 0.0, {}, None)


def test_there_are_at_least_eighteen_that_are_done() -> None:
    assert len(DONE) >= 18


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_says_what_it_is(fault: Fault) -> None:
    assert fault.title
    assert fault.does[0].islower()
    assert not fault.does.endswith(".")
    assert fault.source
    assert fault.touches
    if strength := fault.strength:
        assert strength.lowest <= strength.default <= strength.highest
        assert strength.unit


@pytest.mark.parametrize("fault", DONE, ids=lambda fault: fault.name)
def test_each_is_for_some_pair_and_is_refused_with_a_reason_elsewhere(fault: Fault) -> None:
    targets = registry.targets(fault)
    assert targets
    for name in set(compose_file.declared()) - set(targets):
        assert len(registry.refusal(fault, name)) > 10


def test_a_told_fault_is_for_no_pair() -> None:
    told = [fault for fault in FAULTS if fault.told()]
    assert [fault.name for fault in told] == ["clock-behind"]
    assert registry.targets(told[0]) == []
    with pytest.raises(BadInput, match="CLOCK_MONOTONIC"):
        check(told[0], "fifo", None, [])


def test_a_fault_of_the_network_is_for_the_pairs_that_share_one() -> None:
    shares = [n for n in compose_file.declared() if Sharing.NETWORK in mechanisms.load(n).traits.requires]
    for name in ("cut", "latency", "loss", "duplicates", "reordering", "no-names"):
        assert registry.targets(registry.fault(name)) == shares
    without = sorted(set(compose_file.declared()) - set(shares))
    assert registry.targets(registry.fault("remove-object")) == without


def test_a_lock_stays_taken_only_where_it_is_a_semaphore() -> None:
    locks = [n for n in compose_file.declared() if Switch.RACE_LOCK in mechanisms.load(n).traits.switches]
    assert registry.targets(registry.fault("kill-lock-holder")) == locks
    kept = registry.targets(registry.fault("kill-lock-holder-no-undo"))
    assert set(kept) < set(locks)
    for name in kept:
        assert Sharing.IPC_NAMESPACE in mechanisms.load(name).traits.requires


@pytest.mark.parametrize(("fault", "name"), CELLS, ids=lambda it: it if isinstance(it, str) else it.name)
def test_a_prediction_has_sources_and_known_errnos(fault: Fault, name: str) -> None:
    traits = mechanisms.load(name).traits
    predicted = fault.predict(traits, fault.strength.default if fault.strength else 0)
    assert predicted.sources
    assert all(predicted.sources.values())
    assert predicted.back_within_s > 0
    assert predicted.reasons <= ANY_REASON
    assert bool(predicted.reasons) == (predicted.lost is not Loss.NONE)
    assert predicted.errnos <= {*traits.send_errnos, "damaged", "removed", "not ready"}
    assert predicted.object_stays is not False


def test_what_outlives_its_processes_loses_at_most_what_was_in_a_hand() -> None:
    for name in compose_file.declared():
        traits = mechanisms.load(name).traits
        predicted = registry.fault("kill-both").predict(traits, 0)
        assert predicted.lost is Loss.MAY
        assert predicted.at_most == (None if traits.persistence is Persistence.PROCESS else 2)
        in_order = registry.fault("stop").predict(traits, 0)
        assert in_order.lost is (Loss.MAY if traits.persistence is Persistence.PROCESS else Loss.NONE)


def test_two_faults_that_change_one_thing_exclude_each_other_on_one_pair() -> None:
    active = [on("kill-consumer", "fifo")]
    assert "consumer" in registry.exclusion(registry.fault("pause-consumer"), "fifo", active)
    assert registry.exclusion(registry.fault("pause-consumer"), "tcp", active) == ""
    assert registry.exclusion(registry.fault("pause-producer"), "fifo", active) == ""
    assert "already" in registry.exclusion(registry.fault("kill-consumer"), "fifo", active)


def test_a_fault_of_the_lab_excludes_on_every_pair_that_it_reaches() -> None:
    active = [on("kill-holder", "")]
    assert registry.exclusion(registry.fault("kill-consumer"), "sysv_mq", active)
    assert registry.exclusion(registry.fault("kill-consumer"), "fifo", active) == ""
    assert registry.exclusion(registry.fault("kill-holder"), "", [on("kill-consumer", "sysv_mq")])
    assert registry.exclusion(registry.fault("kill-holder"), "", [on("kill-consumer", "fifo")]) == ""


@pytest.mark.parametrize(
    ("name", "mechanism", "strength", "said"),
    [
        ("latency", "fifo", None, "shares no network"),
        ("latency", "tcp", 0, "expected 1 to 2000 ms"),
        ("kill-consumer", "fifo", 3, "has no strength"),
        ("kill-consumer", "", None, "needs a pair"),
        ("kill-holder", "fifo", None, "whole lab"),
        ("slicing", "udp", None, "datagram"),
        ("volume-full", "fifo", None, "name alone"),
    ],
)
def test_a_refusal_says_why(name: str, mechanism: str, strength: int | None, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check(registry.fault(name), mechanism, strength, [])


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match="kill-consumer"):
        registry.fault("kill-consumers")


def test_the_engine_is_restarted_only_on_request() -> None:
    with pytest.raises(BadInput, match=r"every container of this machine|not of this machine"):
        registry.fault("engine-restart").may_begin(yes=False)
    assert registry.fault("engine-restart").scope is Scope.LAB
    assert not registry.fault("engine-restart").by_chance
