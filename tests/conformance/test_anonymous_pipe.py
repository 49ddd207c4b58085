"""The descriptor that is handed over: it arrives, it is the only thing that does, and nothing of it stays behind."""

from __future__ import annotations

import socket
from collections import Counter

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Address
from ipclab.mechanisms.anonymous_pipe import MECHANISM

pytestmark = pytest.mark.mechanisms(picks=lambda traits: traits is MECHANISM.traits)
MANY = 20


def test_a_hand_over_leaves_one_descriptor_on_each_side_and_none_after_the_sender(
    receiver: Peer, start: StartPeer
) -> None:
    before = receiver.do("open_descriptors")
    for number in range(MANY):
        sender = start()
        own = sender.do("open_descriptors")
        sender.do("open", role="sender")
        assert sender.do("open_descriptors") == own + 1
        sender.do("send", sequence=number, size=100)
        assert receiver.do("receive") == [number, 100]
        assert receiver.do("open_descriptors") == before + 1
        sender.stop() if number % 2 else sender.kill()
        assert receiver.do("drain", quiet_s=0.02) == []
        assert receiver.do("open_descriptors") == before


def test_a_pipe_that_nobody_picked_up_dies_with_the_receiver(sender: Peer, receiver: Peer) -> None:
    sender.do("send", sequence=0, size=100)
    receiver.kill()
    with pytest.raises(PeerError) as gone:
        sender.do("send", sequence=1, size=100)
    assert (gone.value.kind, gone.value.errno_name) == ("PeerGone", "EPIPE")


def test_what_is_no_pipe_is_let_go(sender: Peer, receiver: Peer, address: Address) -> None:
    before = receiver.do("open_descriptors")
    mine, no_pipe = socket.socketpair()
    with mine, no_pipe, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.connect(str(address.path))
        socket.send_fds(stranger, [b"x"], [no_pipe.fileno()])
        socket.send_fds(stranger, [b"x"], [no_pipe.fileno(), no_pipe.fileno()])
        stranger.send(b"no descriptor at all")
        sender.do("send", sequence=1, size=100)
        assert receiver.do("receive") == [1, 100]
        assert receiver.do("drain", quiet_s=0.05) == []
        assert receiver.do("open_descriptors") == before + 1  # the sender's


def test_more_senders_than_the_letterbox_holds_come_in_later(receiver: Peer, start: StartPeer) -> None:
    senders = [start() for _ in range(MANY)]  # net.unix.max_dgram_qlen is 10, by default
    turned_away, reasons = [], set()
    for number, sender in enumerate(senders):
        try:
            sender.do("open", role="sender")
        except PeerError as error:
            reasons.add((error.kind, error.errno_name))
            turned_away.append(sender)
        else:
            sender.do("send", sequence=number, size=100)
    assert reasons == {("PeerAbsent", "EAGAIN")}
    assert len(receiver.do("drain")) == MANY - len(turned_away)
    turned_away[0].do("open", role="sender")
    turned_away[0].do("send", sequence=99, size=100)
    assert receiver.do("receive") == [99, 100]


def test_two_senders_of_large_messages_do_not_mix(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    second = start()
    second.do("open", role="sender")
    first_numbers = (0, 10**6)
    for one, first in zip((sender, second), first_numbers, strict=True):
        one.begin("stream", first=first, size=50_000)  # far over PIPE_BUF
    seen = [number for number, _ in receiver.do("drain", limit=400)]
    assert min(seen) >= 0, "a mixed or torn message"
    shares = Counter(number >= first_numbers[1] for number in seen)
    assert min(shares[False], shares[True]) > 0
    sender.kill()
    second.kill()
