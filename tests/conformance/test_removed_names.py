"""A name that is removed while both sides are busy: they notice, and meet again under the same name.

The real loops, in processes of their own, under load. Until they notice, what they send still arrives in most
mechanisms: the object lives on without its name. System V queues and semaphores do not: IPC_RMID ends them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.harness.roles import LOST, RECEIVED, Role, opens, wait_until_above
from ipclab import mechanisms
from ipclab.accounting.ledger import ProducerLedger
from ipclab.building_blocks.kernel_objects import object_name
from ipclab.building_blocks.libraries import posix_ipc, sysv_ipc
from ipclab.contract.channel import Address, Sharing
from ipclab.contract.optional_parts import FoundByName

Remove = Callable[[Address], None]


def unlink(address: Address) -> None:
    address.path.unlink()


def remove_segment(address: Address) -> None:
    segment = sysv_ipc.SharedMemory(address.key)
    segment.remove()
    segment.detach()


def remove_semaphore(distance: int) -> Remove:
    return lambda address: sysv_ipc.Semaphore(address.key + distance).remove()


def remove_sysv_queue(address: Address) -> None:
    sysv_ipc.MessageQueue(address.key).remove()


def unlink_shared_memory(address: Address) -> None:
    posix_ipc.unlink_shared_memory(object_name(address))


def unlink_semaphore(suffix: str) -> Remove:
    return lambda address: posix_ipc.unlink_semaphore(object_name(address) + suffix)


def unlink_queue(address: Address) -> None:
    posix_ipc.unlink_message_queue(object_name(address))


# What a mechanism has names for, and how each is removed.
NAMES: dict[str, dict[str, Remove]] = {
    "sysv_shm": {"segment": remove_segment, "records": remove_semaphore(0), "room": remove_semaphore(1)},
    "posix_shm": {
        "object": unlink_shared_memory,
        "records": unlink_semaphore(".record"),
        "room": unlink_semaphore(".room"),
    },
    "sysv_mq": {"queue": remove_sysv_queue},
    "posix_mq": {"queue": unlink_queue},
    **{name: {"path": unlink} for name in ("mmap_file", "plain_file", "fifo", "unix_stream", "anonymous_pipe")},
}


@pytest.mark.mechanisms(among=list(NAMES))
def test_both_notice_that_a_name_was_removed_under_load_and_meet_again(
    pair: tuple[Role, Role], address: Address, name: str, tmp_path: Path
) -> None:
    producer, consumer = pair
    for what, remove in NAMES[name].items():
        before = opens(pair)
        remove(address)
        wait_until_above(f"opens of both after the {what} was removed", before, lambda: opens(pair))
        wait_until_above("received", [consumer.total(RECEIVED) + 100], lambda: [consumer.total(RECEIVED)])
    producer.end()
    sent = ProducerLedger(tmp_path / "producer" / "producer.ledger").next_sequence
    wait_until_above("accounted for", [sent - 1], lambda: [consumer.total(RECEIVED) + consumer.total(LOST)])
    assert consumer.total("ipc_messages_corrupt_total") == consumer.total("ipc_messages_duplicate_total") == 0
    if name != "sysv_mq":  # msgctl(2): its messages go with it
        assert consumer.total(LOST) == 0


def test_a_mechanism_has_a_name_that_can_be_removed_unless_it_is_a_network_address(name: str, address: Address) -> None:
    mechanism = mechanisms.load(name)
    is_named = Sharing.NETWORK not in mechanism.traits.requires
    assert (name in NAMES) == is_named
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        if isinstance(sender, FoundByName):
            sender.check_linked()
        receiver.remove()
    assert name in ("sysv_mq", "udp") or isinstance(sender, FoundByName)
