"""How many senders and receivers one channel serves: as many as its traits say, and what happens to one more."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Traits
from ipclab.mechanisms import fifo

MESSAGES = 40
many_senders = pytest.mark.mechanisms(picks=lambda traits: traits.many_senders)
many_receivers = pytest.mark.mechanisms(picks=lambda traits: traits.many_receivers)
# A ring serves one sender and cannot tell a second receiver from a restarted one; a FIFO asks for no owner.
refuses = pytest.mark.mechanisms(
    picks=lambda traits: traits.many_senders and not traits.many_receivers and traits != fifo.MECHANISM.traits
)


def sending(start: StartPeer, count: int) -> list[Peer]:
    """Senders in processes of their own."""
    senders = [start() for _ in range(count)]
    for sender in senders:
        sender.do("open", role="sender")
    return senders


@many_senders
def test_many_senders_are_served_at_once(receiver: Peer, start: StartPeer, traits: Traits) -> None:
    senders = sending(start, 3)
    for number, sender in enumerate(senders):
        sender.begin("send_numbers", first=number * MESSAGES, count=MESSAGES, size=512)
    receiver.begin("drain", limit=3 * MESSAGES, quiet_s=5)
    seen = [number for number, _ in receiver.end()]
    for sender in senders:
        sender.end()
    assert sorted(seen) == list(range(3 * MESSAGES))
    if traits.ordered:
        for first in range(0, 3 * MESSAGES, MESSAGES):
            own = [number for number in seen if first <= number < first + MESSAGES]
            assert own == sorted(own), "one sender's messages changed places"


@many_receivers
def test_many_receivers_take_each_message_once(receiver: Peer, start: StartPeer) -> None:
    receivers = [receiver, start(), start()]
    for other in receivers[1:]:
        other.do("open", role="receiver")
    for each in receivers:
        each.begin("drain", quiet_s=1)
    senders = sending(start, 2)
    for number, sender in enumerate(senders):
        sender.begin("send_numbers", first=number * 200, count=200, size=512)
    for sender in senders:
        sender.end()
    taken = [[number for number, _ in each.end()] for each in receivers]
    assert sorted(number for one in taken for number in one) == list(range(400))
    for one in taken:
        assert one, "a receiver got nothing"
        for own in ([n for n in one if n < 200], [n for n in one if n >= 200]):
            assert own == sorted(own)


@many_receivers
def test_what_a_killed_receiver_has_not_taken_goes_to_the_others(receiver: Peer, start: StartPeer) -> None:
    other, sender = start(), start()
    other.do("open", role="receiver")
    sender.do("open", role="sender")
    other.begin_and_block("receive", timeout_s=20)
    other.kill()
    sender.do("send_numbers", first=0, count=5, size=512)
    assert receiver.do("drain") == [[number, 512] for number in range(5)]


@refuses
def test_a_second_receiver_is_refused_where_one_is_served(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    with pytest.raises(PeerError) as refused:
        start().do("open", role="receiver")
    assert (refused.value.kind, refused.value.errno_name) in (("Unusable", "EADDRINUSE"), ("Unusable", "EAGAIN"))
    sender.do("send", sequence=1, size=100)
    assert receiver.do("receive") == [1, 100]


@pytest.mark.mechanisms(among=["fifo"])
def test_two_receivers_of_a_fifo_tear_each_others_messages(receiver: Peer, start: StartPeer) -> None:
    other, sender = start(), start()
    other.do("open", role="receiver")
    sender.do("open", role="sender")
    for each in (receiver, other):
        each.begin("drain", quiet_s=1)
    sender.do("send_numbers", first=0, count=20, size=1 << 20)
    seen = [number for each in (receiver, other) for number, _ in each.end()]
    assert -1 not in seen, "an altered message was delivered"
    assert len([number for number in seen if number >= 0]) < 20, "nothing was lost"
