"""The load of a running pair changes without a restart, and goes back."""

from __future__ import annotations

import pytest

from ipclab.runtime.overrides import Load
from lab.harness.stack import Stack, wait_until


def _load(stack: Stack, mechanism: str) -> tuple[int, int]:
    service = f"{mechanism.replace('_', '-')}-producer"
    return stack.total(service, "ipc_load_rate"), stack.total(service, "ipc_message_size_bytes")


@pytest.mark.parametrize("mechanism", ["fifo", "sysv_shm", "udp"])  # the loop is one; these differ in what it meets
def test_load_changes_and_goes_back_without_a_restart(stack: Stack, mechanism: str) -> None:
    stack.wait_for_traffic(mechanism)
    usual = _load(stack, mechanism)
    started = {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()}
    changed = stack.lab("load", mechanism, "--rate", "1000", "--size", "4096")
    assert changed.returncode == 0, changed.stderr
    assert mechanism in changed.stdout
    assert _load(stack, mechanism) == (1000, 4096)
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
    assert _load(stack, mechanism) == usual
    assert {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()} == started
    accounts = stack.settle(mechanism)
    assert (accounts["corrupt"], accounts["duplicate"]) == (0, 0)


def test_a_changed_load_survives_a_restart_of_the_producer(stack: Stack) -> None:
    mechanism = "fifo"
    stack.wait_for_traffic(mechanism)
    stack.set_load(mechanism, Load(rate=300, size_bytes=1024))
    producer = stack.endpoint(mechanism, "producer")
    producer.stop(timeout=3)
    producer.start()
    stack.wait_for_traffic(mechanism)
    assert _load(stack, mechanism)[0] == 300
    stack.set_load(mechanism, None)


def test_a_size_the_mechanism_cannot_carry_changes_nothing(stack: Stack) -> None:
    usual = _load(stack, "sysv_mq")
    refused = stack.lab("load", "sysv_mq", "--size", "8193")
    assert refused.returncode == 2
    assert "8193" in refused.stderr
    assert "8192" in refused.stderr
    assert _load(stack, "sysv_mq") == usual
