"""Which pairs there are, and the names they go by."""

from __future__ import annotations

import pytest

from ipclab import registry
from ipclab.channel import Sharing
from labctl import pairs
from labctl.values import did_you_mean


def test_mechanisms_and_services_have_each_others_names() -> None:
    assert pairs.services_of("sysv_shm") == ["sysv-shm-consumer", "sysv-shm-producer"]
    assert pairs.mechanism_of("sysv-shm-producer") == "sysv_shm"
    assert [pairs.mechanism_of(name) for name in ("holder", "prometheus", "-producer")] == [None] * 3


def test_a_pair_needs_both_sides() -> None:
    assert pairs.pairs_in(["tcp-producer", "fifo-consumer", "fifo-producer", "holder"]) == ["fifo"]


def test_who_looks_at_a_namespace_comes_with_the_pairs_that_use_it() -> None:
    shared = {name for name in pairs.declared() if Sharing.IPC_NAMESPACE in registry.load(name).traits.requires}
    assert shared
    for name in pairs.declared():
        assert pairs.observers_of([name]) == (["kernel"] if name in shared else [])
    assert pairs.observers_of(pairs.declared()) == ["kernel"]


def test_every_declared_pair_has_a_mechanism_that_says_its_maximum() -> None:
    assert pairs.declared()
    assert set(pairs.declared()) <= set(registry.names())
    assert all(pairs.max_message_bytes(name) >= 64 for name in pairs.declared())


@pytest.mark.parametrize(
    ("value", "hint"),
    [("LAB_RATES", "did you mean LAB_RATE?"), ("lab_size", "did you mean LAB_SIZE?"), ("LAB_XYZZY", "no known name")],
)
def test_did_you_mean(value: str, hint: str) -> None:
    assert hint in did_you_mean(value, ["LAB_RATE", "LAB_SIZE"], prefix="LAB_")
