"""What the kernel counts: the objects in the shared namespace, and the datagrams that it dropped."""

from __future__ import annotations

import json
from typing import Any

from ipclab import mechanisms
from ipclab.accounting.checker import WINDOW
from ipclab.contract.channel import Sharing
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Definition, Role
from ipclab.runtime.overrides import Load
from lab.harness.stack import Stack, wait_until
from labctl.lab.containers import freeze

SIZE = 1024
FLOOD = 2000  # messages per second, and how many of them are sent to nobody


def held(stack: Stack, mechanism: str, definition: Definition) -> dict[str, float]:
    """Key or name of the mechanism's objects to a figure, as the exporter shows it now."""
    return {
        labels["key"] or labels["name"]: value
        for series, labels, value in stack.page("kernel")
        if series == definition.name and labels["mechanism"] == mechanism
    }


def attached(stack: Stack) -> list[float]:
    """How many have each segment of the pair of System V attached."""
    return list(held(stack, "sysv_shm", metrics.KERNEL_SHM_ATTACHMENTS).values())


def status_of(stack: Stack) -> dict[str, Any]:
    status = stack.lab("status", "--json")
    assert status.returncode == 0, status.stderr
    document: dict[str, Any] = json.loads(status.stdout)
    return document


def test_the_objects_of_every_pair_in_the_namespace_are_listed(stack: Stack) -> None:
    for mechanism in stack.mechanisms():
        listed = {
            **held(stack, mechanism, metrics.KERNEL_SHM_SIZE),
            **held(stack, mechanism, metrics.KERNEL_QUEUE_BYTES),
        }
        shared = bool(mechanisms.load(mechanism).traits.requires & {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM})
        assert bool(listed) == shared, (mechanism, listed)
    # The ring and the words that both sides share; the notifiers of the ring, and with System V the lock of the words.
    assert attached(stack) == [2, 2]
    assert len(held(stack, "sysv_shm", metrics.KERNEL_SEMAPHORE_VALUE)) == 3
    assert len(held(stack, "posix_shm", metrics.KERNEL_SEMAPHORE_VALUE)) == 2
    assert held(stack, "posix_mq", metrics.KERNEL_QUEUE_LIMIT_MESSAGES) == {"/ipclab-posix-mq": 10}
    kernel = status_of(stack)["kernel"]
    assert {
        (segment["mechanism"], segment["attachments"]) for segment in kernel["segments"] if segment["mechanism"]
    } == {
        ("posix_shm", None),
        ("sysv_shm", 2),
    }
    (kept,) = (queue for queue in kernel["queues"] if queue["name"] == "/ipclab-echo-posix-mq")
    assert (kept["mechanism"], kept["owner"]) == ("", "responder")
    assert {queue["owner"] for queue in kernel["queues"] if queue["key"] and not queue["mechanism"]} >= {"responder"}
    objects = [segment["size_bytes"] for segment in kernel["segments"] if segment["mechanism"] == "posix_shm"]
    assert sum(objects) <= kernel["dev_shm_used_bytes"] < kernel["dev_shm_limit_bytes"] == 64 << 20


def test_prometheus_has_every_series_of_the_namespace(stack: Stack) -> None:
    for definition in metrics.DEFINITIONS:
        if Role.KERNEL in definition.roles:
            (series,) = definition.series
            wait_until(series, 15, lambda e=series: stack.query(f'{e}{{role="kernel"}}'))  # type: ignore[misc]


def test_a_segment_that_nobody_uses_any_more_is_still_there(stack: Stack) -> None:
    ends = [stack.containers()[f"sysv-shm-{side}"] for side in ("producer", "consumer")]
    for container in ends:
        container.stop(timeout=3)
    try:
        assert attached(stack) == [0, 0]
    finally:
        for container in reversed(ends):
            container.start()
    wait_until("both have it attached again", 20, lambda: attached(stack) == [2, 2])
    stack.wait_for_traffic("sysv_shm")


def test_a_queue_whose_consumer_is_paused_fills_up_and_empties_again(stack: Stack) -> None:
    stack.wait_for_traffic("sysv_mq")
    (limit,) = held(stack, "sysv_mq", metrics.KERNEL_QUEUE_LIMIT_BYTES).values()

    def room() -> float:
        (taken,) = held(stack, "sysv_mq", metrics.KERNEL_QUEUE_BYTES).values()
        return limit - taken

    consumer = stack.containers()["sysv-mq-consumer"]
    freeze(consumer)
    try:
        wait_until("the queue has no room for one more", 15, lambda: room() < SIZE)
    finally:
        consumer.unpause()
    wait_until("the queue is almost empty", 15, lambda: room() > limit / 2)
    stack.wait_for_traffic("sysv_mq")


def test_a_flood_loses_exactly_what_the_kernel_says_it_dropped(stack: Stack) -> None:
    """UDP tells nobody, but the receiver's kernel counts: that is all that is missing between sent and received."""
    stack.wait_for_traffic("udp")
    before = accounts(stack)
    stack.set_load("udp", Load(FLOOD, SIZE))
    consumer = stack.containers()["udp-consumer"]
    freeze(consumer)
    try:
        wait_until("a flood is sent", 20, lambda: sent(stack) > before["sent"] + FLOOD)
    finally:
        consumer.unpause()
    # What is missing counts as lost once so many later numbers have come. These are small and not too many, so that a
    # busy machine drops none of them.
    stack.set_load("udp", Load(FLOOD // 4, 64))
    seen = stack.accounts("udp")["received"]
    wait_until("as many arrive again", 20, lambda: stack.accounts("udp")["received"] > seen + 2 * WINDOW)
    after = accounts(stack)
    assert after["sent"] == after["received"] + after["lost"]
    lost = after["lost"] - before["lost"]
    assert lost > 0
    assert after["dropped"] - before["dropped"] == lost
    assert (after["duplicate"], after["corrupt"]) == (before["duplicate"], before["corrupt"])

    def in_status() -> bool:
        pair = next(pair for pair in status_of(stack)["pairs"] if pair["mechanism"] == "udp")
        return (pair["lost"], pair["kernel_drops"]) == (after["lost"], after["dropped"])

    wait_until("status shows the same", 15, in_status)


def sent(stack: Stack) -> int:
    return stack.total("udp-producer", "ipc_messages_sent_total")


def accounts(stack: Stack) -> dict[str, int]:
    """Settled, and what the kernel dropped."""
    return {**stack.settle("udp"), "dropped": stack.total("udp-consumer", "ipc_kernel_drops_total")}
