"""The load of a running pair changes without a restart, and goes back."""

from __future__ import annotations

import pytest

from ipclab.runtime.overrides import Load
from lab.harness.stack import Stack, wait_until
from labctl.config.loads import NAMED, limit_of


@pytest.mark.parametrize("mechanism", ["fifo", "sysv_shm", "udp"])  # the loop is one; these differ in what it meets
def test_load_changes_and_goes_back_without_a_restart(stack: Stack, mechanism: str) -> None:
    stack.wait_for_traffic(mechanism)
    before = stack.accounts(mechanism)  # a fault of earlier tests may have sent garbage, or messages twice
    usual = stack.load(mechanism)
    started = {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()}
    changed = stack.lab("load", mechanism, "--rate", "1000", "--size", "4096")
    assert changed.returncode == 0, changed.stderr
    assert mechanism in changed.stdout
    assert stack.load(mechanism) == Load(1000, 4096)
    consumer = f"{mechanism.replace('_', '-')}-consumer"
    received, size = (stack.total(consumer, s) for s in ("ipc_messages_received_total", "ipc_bytes_received_total"))
    wait_until(
        "messages of the new size arrive",
        15,
        lambda: (
            (stack.total(consumer, "ipc_bytes_received_total") - size)
            > 2000 * max(1, stack.total(consumer, "ipc_messages_received_total") - received)
        ),
    )
    back = stack.lab("load", mechanism, "--reset")
    assert back.returncode == 0, back.stderr
    assert stack.load(mechanism) == usual
    assert {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()} == started
    accounts = stack.settle(mechanism)
    assert (accounts["corrupt"], accounts["duplicate"]) == (before["corrupt"], before["duplicate"])


def test_a_changed_load_survives_a_restart_of_the_producer(stack: Stack) -> None:
    mechanism = "fifo"
    stack.wait_for_traffic(mechanism)
    stack.set_load(mechanism, Load(rate=300, size_bytes=1024))
    producer = stack.endpoint(mechanism, "producer")
    producer.stop(timeout=3)
    producer.start()
    stack.wait_for_traffic(mechanism)
    assert stack.load(mechanism).rate == 300
    stack.set_load(mechanism, None)


def test_a_size_the_mechanism_cannot_carry_changes_nothing(stack: Stack) -> None:
    usual = stack.load("sysv_mq")
    refused = stack.lab("load", "sysv_mq", "--size", "8193")
    assert refused.returncode == 2
    assert "8193" in refused.stderr
    assert "8192" in refused.stderr
    assert stack.load("sysv_mq") == usual


def test_a_named_load_reaches_every_pair_and_idle_restores_their_own(stack: Stack) -> None:
    """Under bulk the two queues send messages of their maximum, and say so."""
    names = stack.mechanisms()
    usual = {name: stack.load(name) for name in names}
    before = stack.settle_all(*names)  # faults of tests before this one lose messages, damage them, and send them twice
    changed = stack.lab("load", "--all", "stream")
    assert changed.returncode == 0, changed.stderr
    assert {name: stack.load(name) for name in names} == dict.fromkeys(names, NAMED["stream"])
    assert "Load: stream 2,000/s of 1 KiB in bursts of 50." in changed.stdout
    bulk = stack.lab("load", "--all", "bulk", "--rate", "50")
    assert bulk.returncode == 0, bulk.stderr
    loads = {name: stack.load(name) for name in names}
    assert {(load.rate, load.burst) for load in loads.values()} == {(50, NAMED["bulk"].burst)}
    assert {name: load.size_bytes for name, load in loads.items()} == {
        name: min(1 << 16, limit_of(name)) for name in names
    }
    assert "Limit of posix_mq and of sysv_mq: messages of at most 8,192 bytes, which the pair sends." in bulk.stdout
    assert "posix_mq, sysv_mq 50/s of 8 KiB (its limit) in bursts of 8" in stack.lab("status").stdout
    back = stack.lab("load", "--all", "idle")
    assert back.returncode == 0, back.stderr
    assert {name: stack.load(name) for name in names} == usual
    accounts = stack.settle_all(*names)
    assert {name for name in names if accounts[name]["sent"] <= before[name]["sent"]} == set()
    for wrong in ("corrupt", "duplicate"):
        assert {name for name in names if accounts[name][wrong] != before[name][wrong]} == set(), wrong
    lossless = set(names) - {"udp"}
    assert {name for name in lossless if accounts[name]["lost"] != before[name]["lost"]} == set()
