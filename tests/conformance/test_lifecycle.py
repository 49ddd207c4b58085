"""Who comes first, who dies, what stays behind: the lives of a channel and its endpoints."""

from __future__ import annotations

import random

import pytest

from conformance.conftest import StartPeer, kernel_objects
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Kind, Persistence, Traits

ROUNDS = 20


def _first_error(sender: Peer, tries: int) -> PeerError | None:
    for number in range(tries):
        try:
            sender.do("send", sequence=number, size=100, timeout_s=0.1)
        except PeerError as error:
            return error
    return None


def test_a_sender_without_a_receiver_says_so(start: StartPeer, traits: Traits) -> None:
    with pytest.raises(PeerError) as absent:
        start().do("open", role="sender")
    assert absent.value.kind == "PeerAbsent"
    assert absent.value.errno_name in traits.send_errnos


def test_a_sender_creates_nothing(start: StartPeer) -> None:
    before = kernel_objects()
    with pytest.raises(PeerError):
        start().do("open", role="sender")
    assert kernel_objects() == before


def test_another_sender_opens_the_same_channel(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    sender.do("send", sequence=1, size=100)
    sender.do("close")
    second = start()
    second.do("open", role="sender")
    second.do("send", sequence=2, size=100)
    assert receiver.do("receive") == [1, 100]
    assert receiver.do("receive") == [2, 100]


def test_another_receiver_finds_what_its_persistence_promises(
    sender: Peer, receiver: Peer, start: StartPeer, traits: Traits
) -> None:
    sent = sender.do("send_until_full", size=512, limit=10)
    receiver.kill()
    sender.kill()
    second = start()
    second.do("open", role="receiver")
    seen = [number for number, _ in second.do("drain")]
    if traits.persistence is Persistence.PROCESS:
        assert seen == []
    else:
        assert seen == list(range(sent))


def test_a_sender_survives_its_receiver(sender: Peer, receiver: Peer, start: StartPeer, traits: Traits) -> None:
    sender.do("send", sequence=0, size=100)
    receiver.kill()
    second = start()
    second.do("open", role="receiver")
    # The first sends after the death may still be taken; then the sender is told, or goes on until it is full.
    error = _first_error(sender, 20)
    if error and error.kind != "ChannelFull":
        assert error.kind == "PeerGone"
        assert error.errno_name in traits.send_errnos
        sender.do("close")
        sender = start()
        sender.do("open", role="sender")
    second.do("drain")
    sender.do("send", sequence=999, size=100)
    assert second.do("receive") == [999, 100]


def test_killing_senders_delivers_no_torn_message_and_loses_none_that_was_taken(
    receiver: Peer, start: StartPeer, traits: Traits
) -> None:
    size = min(70_000, traits.max_message_bytes)
    rng = random.Random(1)
    first = 0
    before = kernel_objects()
    for _ in range(ROUNDS):
        dropped_before = receiver.do("kernel_drops")
        sender = start()
        sender.do("open", role="sender")
        sender.begin("stream", first=first, size=size)
        watched = rng.randrange(1, 12)
        for _ in range(watched):
            assert receiver.do("receive", timeout_s=10)[0] >= 0
        sender.kill()
        taken = sender.numbers_until_end()
        seen = [number for number, _ in receiver.do("drain", quiet_s=0.05)]
        whole = [number for number in seen if number >= 0]
        assert -1 not in seen, "an altered message was delivered"
        assert seen.count(-2) <= 1, "one death tears one message at the most"
        # It may die before it says that one was taken; and of a byte stream's last message the
        # kernel may have only a part, while the rest dies with the sender.
        dropped = receiver.do("kernel_drops") - dropped_before
        unsaid = watched + len(whole) + dropped - len(taken)
        assert unsaid in ((-1, 0, 1) if traits.kind is Kind.BYTE_STREAM else (0, 1))
        assert dropped == 0 or not traits.reliable
        if traits.reliable:
            assert whole == list(range(first + watched, first + watched + len(whole)))
        assert len(set(whole)) == len(whole)
        first += watched + len(whole) + dropped
    assert kernel_objects() == before


def test_killing_receivers_leaves_no_object_behind(start: StartPeer) -> None:
    receiver = start()
    receiver.do("open", role="receiver")
    before = kernel_objects()
    for number in range(ROUNDS):
        receiver.kill()
        receiver = start()
        receiver.do("open", role="receiver")
        sender = start()
        sender.do("open", role="sender")
        sender.do("send", sequence=number, size=200)
        assert receiver.do("receive") == [number, 200]
        sender.stop()
        assert kernel_objects() == before


def test_a_removed_channel_is_gone_for_the_sender(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    receiver.do("remove")
    gone = _first_error(sender, 20)
    assert gone
    assert gone.kind == "PeerGone"
    with pytest.raises(PeerError) as absent:
        start().do("open", role="sender")
    assert absent.value.kind == "PeerAbsent"
