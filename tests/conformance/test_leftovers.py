"""What lies in the way at the address is replaced if it is ours, and refused with a word if it is not."""

from __future__ import annotations

import os
import sys

import posix_ipc
import pytest
import sysv_ipc

from conformance.conftest import StartPeer
from conformance.harness.peers import PeerError
from ipclab import mechanisms
from ipclab.building_blocks import ring_channel
from ipclab.building_blocks.kernel_objects import object_name
from ipclab.contract.channel import Address, Sharing, Traits
from ipclab.mechanisms import mmap_file

RINGS = ("sysv_shm", "posix_shm", "mmap_file")


def _works(start: StartPeer) -> None:
    receiver, sender = start(), start()
    receiver.do("open", role="receiver")
    sender.do("open", role="sender")
    sender.do("send", sequence=5, size=300)
    assert receiver.do("receive") == [5, 300]


def _on_a_volume(traits: Traits) -> bool:
    return Sharing.VOLUME in traits.requires


def _plant_memory(name: str, address: Address, more_bytes: int) -> None:
    """Garbage where the mechanism's ring is to be, and so much larger than it; a file is ours only if it says so."""
    garbage = os.urandom(4096)
    size = ring_channel.RING_BYTES + more_bytes
    if name == "sysv_shm":
        segment = sysv_ipc.SharedMemory(address.key, sysv_ipc.IPC_CREX, mode=0o600, size=size)
        segment.write(garbage)
        segment.detach()
    elif name == "posix_shm":
        shared = posix_ipc.SharedMemory(object_name(address), posix_ipc.O_CREX, mode=0o600, size=size)
        os.write(shared.fd, garbage)
        shared.close_fd()
    else:
        address.path.write_bytes((b"IPCMMAP1" + garbage).ljust(mmap_file.FILE_BYTES + more_bytes, b"x"))


def _plant_semaphore(name: str, address: Address) -> None:
    """The notifier for records, as far up as it goes."""
    if name == "sysv_shm":
        sysv_ipc.Semaphore(address.key, sysv_ipc.IPC_CREX, mode=0o600, initial_value=32767)
    elif name == "posix_shm":
        notifier = f"{object_name(address)}.record"
        posix_ipc.Semaphore(notifier, posix_ipc.O_CREX, mode=0o600, initial_value=posix_ipc.SEMAPHORE_VALUE_MAX).close()
    else:
        mechanisms.load(name).create_receiver(address).close()
        with address.path.open("r+b") as file:
            file.seek(mmap_file.DATA_READY_AT)
            file.write((2**31 - 1).to_bytes(4, sys.byteorder))


@pytest.mark.mechanisms(among=RINGS)
@pytest.mark.parametrize("more_bytes", [-1 << 20, 0, 1 << 20])
def test_a_ring_full_of_garbage_is_replaced(more_bytes: int, start: StartPeer, name: str, address: Address) -> None:
    _plant_memory(name, address, more_bytes)
    with pytest.raises(PeerError) as absent:
        start().do("open", role="sender")
    assert absent.value.kind == "PeerAbsent"
    _works(start)


@pytest.mark.mechanisms(among=RINGS)
def test_a_semaphore_left_at_its_maximum_is_no_obstacle(start: StartPeer, name: str, address: Address) -> None:
    _plant_semaphore(name, address)
    _works(start)


@pytest.mark.mechanisms(among=("mmap_file",))
@pytest.mark.parametrize("content", [b"", b"IPCMMAP1"])
def test_a_file_whose_maker_was_killed_is_finished(content: bytes, start: StartPeer, address: Address) -> None:
    address.path.write_bytes(content)
    _works(start)


@pytest.mark.mechanisms(among=("posix_mq",))
def test_a_queue_with_other_attributes_is_replaced(start: StartPeer, address: Address) -> None:
    queue = posix_ipc.MessageQueue(
        object_name(address), posix_ipc.O_CREX, mode=0o600, max_messages=3, max_message_size=100
    )
    queue.send(b"from another program")
    queue.close()
    with pytest.raises(PeerError) as absent:
        start().do("open", role="sender")
    assert absent.value.kind == "PeerAbsent"
    _works(start)


@pytest.mark.mechanisms(picks=_on_a_volume)
def test_a_plain_file_at_the_path_is_refused(start: StartPeer, address: Address) -> None:
    address.path.write_text("somebody's data")
    for role in ("receiver", "sender"):
        with pytest.raises(PeerError) as refused:
            start().do("open", role=role)
        assert (refused.value.kind, refused.value.errno_name) == ("Unusable", "EEXIST")
    assert address.path.read_text() == "somebody's data"
    address.path.unlink()


@pytest.mark.mechanisms(picks=_on_a_volume)
def test_a_missing_directory_is_named(start: StartPeer, address: Address) -> None:
    directory = address.path.parent
    directory.rmdir()
    with pytest.raises(PeerError) as refused:
        start().do("open", role="receiver")
    assert refused.value.errno_name == "ENOENT"
    directory.mkdir()
