"""What lies in the way at the address is replaced if it is ours, and refused with a word if it is not."""

from __future__ import annotations

import os

import pytest
import sysv_ipc

from conformance.conftest import StartPeer
from conformance.peers import PeerError
from ipclab import ring_channel
from ipclab.channel import Address, Kind, Sharing, Traits


def _works(start: StartPeer) -> None:
    receiver, sender = start(), start()
    receiver.do("open", role="receiver")
    sender.do("open", role="sender")
    sender.do("send", sequence=5, size=300)
    assert receiver.do("receive") == [5, 300]


def _on_a_volume(traits: Traits) -> bool:
    return Sharing.VOLUME in traits.requires


def _in_a_segment(traits: Traits) -> bool:
    return Sharing.IPC_NAMESPACE in traits.requires and traits.kind is Kind.SHARED_MEMORY


@pytest.mark.mechanisms(picks=_in_a_segment)
@pytest.mark.parametrize("same_size", [True, False])
def test_a_segment_full_of_garbage_is_replaced(same_size: bool, start: StartPeer, address: Address) -> None:
    size = ring_channel.RING_BYTES if same_size else 4096
    segment = sysv_ipc.SharedMemory(address.key, sysv_ipc.IPC_CREX, mode=0o600, size=size)
    segment.write(os.urandom(4096))
    segment.detach()
    _works(start)


@pytest.mark.mechanisms(picks=_in_a_segment)
def test_a_semaphore_left_at_its_maximum_is_no_obstacle(start: StartPeer, address: Address) -> None:
    sysv_ipc.Semaphore(address.key, sysv_ipc.IPC_CREX, mode=0o600, initial_value=32767)
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
