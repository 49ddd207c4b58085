"""What a name in the filesystem adds to a socket: it outlives its owner, and has one owner at a time."""

from __future__ import annotations

import fcntl
import os
import socket
import stat

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.building_blocks.framing import PREFIX_BYTES, write_prefix
from ipclab.contract.channel import Address, Kind, Persistence, Traits
from ipclab.mechanisms import anonymous_pipe, fifo, unix_stream

NAMED = (unix_stream.MECHANISM.traits, anonymous_pipe.MECHANISM.traits)
pytestmark = pytest.mark.mechanisms(picks=lambda traits: traits in NAMED)
MANY = 8


def has_a_stream_per_sender(traits: Traits) -> bool:
    """The senders of a FIFO share one stream, in which the kernel keeps messages apart up to PIPE_BUF alone."""
    streams = traits.kind is Kind.BYTE_STREAM and traits.persistence is Persistence.PROCESS
    return streams and traits.many_senders and traits != fifo.MECHANISM.traits


def test_the_name_of_a_dead_receiver_is_taken_over(receiver: Peer, start: StartPeer, address: Address) -> None:
    receiver.kill()
    assert address.path.is_socket(), "the kernel has removed the name by itself"
    with pytest.raises(PeerError) as absent:
        start().do("open", role="sender")
    assert (absent.value.kind, absent.value.errno_name) == ("PeerAbsent", "ECONNREFUSED")
    second, sender = start(), start()
    second.do("open", role="receiver")
    sender.do("open", role="sender")
    sender.do("send", sequence=1, size=100)
    assert second.do("receive") == [1, 100]


def test_a_second_receiver_is_refused_while_the_first_lives(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    with pytest.raises(PeerError) as refused:
        start().do("open", role="receiver")
    assert (refused.value.kind, refused.value.errno_name) == ("Unusable", "EADDRINUSE")
    sender.do("send", sequence=1, size=100)
    assert receiver.do("receive") == [1, 100]


def test_of_many_that_find_a_stale_name_one_gets_it(receiver: Peer, start: StartPeer) -> None:
    receiver.kill()
    heirs = [start() for _ in range(MANY)]
    for heir in heirs:
        heir.begin("open", role="receiver")
    owners, refusals = [], []
    for heir in heirs:
        try:
            heir.end()
            owners.append(heir)
        except PeerError as error:
            refusals.append(error.errno_name)
    assert refusals == ["EADDRINUSE"] * (MANY - 1)
    sender = start()
    sender.do("open", role="sender")
    sender.do("send", sequence=1, size=100)
    assert owners[0].do("receive") == [1, 100]


def test_who_takes_over_a_name_waits_until_another_has_done_so(
    receiver: Peer, start: StartPeer, address: Address
) -> None:
    """Between finding a name stale and removing it, somebody else could have made it his."""
    receiver.kill()
    heir = start()
    directory = os.open(address.path.parent, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    heir.begin_and_block("open", role="receiver")
    os.close(directory)
    heir.end()


@pytest.mark.mechanisms(picks=lambda traits: traits is unix_stream.MECHANISM.traits)
def test_half_a_message_from_a_dead_sender_is_told(sender: Peer, receiver: Peer, address: Address) -> None:
    frame = memoryview(bytearray(PREFIX_BYTES + 50))
    write_prefix(frame, 100)
    with socket.socket(socket.AF_UNIX) as dying:
        dying.connect(str(address.path))
        dying.send(frame)
    assert receiver.do("drain") == [[-2, 0]]
    sender.do("send", sequence=1, size=100)
    assert receiver.do("drain") == [[1, 100]]


@pytest.mark.usefixtures("receiver")
def test_only_its_owner_may_write_to_the_name(address: Address) -> None:
    assert stat.S_IMODE(address.path.lstat().st_mode) == 0o600


def test_a_removed_name_is_not_taken_from_the_next_owner(receiver: Peer, start: StartPeer, address: Address) -> None:
    address.path.unlink()
    second, sender = start(), start()
    second.do("open", role="receiver")
    receiver.do("remove")
    sender.do("open", role="sender")
    sender.do("send", sequence=1, size=100)
    assert second.do("receive") == [1, 100]


@pytest.mark.mechanisms(picks=has_a_stream_per_sender)
def test_a_fast_sender_does_not_starve_another(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    marked = 10**9
    sender.begin("stream", first=0, size=60_000)
    assert receiver.do("receive", timeout_s=10)[0] == 0
    second = start()
    second.do("open", role="sender")
    second.do("send", sequence=marked, size=100)
    # Between two polls of the listener, at most 32 buffers of the first are read; between two polls of the second, one.
    seen = [number for number, _ in receiver.do("drain", limit=200)]
    assert marked in seen
    sender.kill()
