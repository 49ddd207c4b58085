"""Types of a System V queue let receivers pick theirs; priorities of a POSIX queue let messages overtake."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError

types = pytest.mark.mechanisms(among=["sysv_mq"])
priorities = pytest.mark.mechanisms(among=["posix_mq"])


def opened(start: StartPeer, role: str, classes: int, pick: int = 0) -> Peer:
    """An endpoint of a channel with classes."""
    peer = start()
    peer.do("classify", classes=classes, pick=pick)
    peer.do("open", role=role)
    return peer


def numbers(peer: Peer) -> list[int]:
    return [number for number, _ in peer.do("drain")]


@types
def test_each_receiver_gets_all_of_its_type_and_none_of_the_others(start: StartPeer) -> None:
    first, second = (opened(start, "receiver", 2, pick) for pick in (1, 2))
    sender = opened(start, "sender", 2)
    for receiver in (first, second):
        receiver.begin("drain", quiet_s=1)
    sender.do("send_numbers", first=0, count=300, size=512)
    assert [number for number, _ in first.end()] == list(range(0, 300, 2))
    assert [number for number, _ in second.end()] == list(range(1, 300, 2))
    assert (first.do("received_by_class"), second.do("received_by_class")) == ({"1": 150}, {"2": 150})


@types
def test_what_nobody_picks_stays_and_fills_the_queue(start: StartPeer) -> None:
    first = opened(start, "receiver", 2, pick=1)
    sender = opened(start, "sender", 2)
    first.begin("drain", quiet_s=1)
    taken = sender.do("send_until_full", size=1024, limit=1000)
    seen = [number for number, _ in first.end()]
    assert taken < 1000, "the queue never was full"
    assert seen == list(range(0, taken, 2))
    first.kill()
    everything = opened(start, "receiver", 2)
    assert numbers(everything) == list(range(1, taken, 2)), "they were kept, for whoever takes them"
    # The message that found no room keeps its type: the next one that is sent has it.
    before = everything.do("received_by_class")
    sender.do("send", sequence=taken, size=100)
    everything.do("receive")
    after = everything.do("received_by_class")
    assert after.get(str(taken % 2 + 1), 0) == before.get(str(taken % 2 + 1), 0) + 1


@priorities
def test_under_backlog_the_highest_priority_overtakes_and_each_keeps_its_order(start: StartPeer) -> None:
    receiver = opened(start, "receiver", 3)
    sender = opened(start, "sender", 3)
    sender.do("send_numbers", first=0, count=9, size=512)
    assert numbers(receiver) == [2, 5, 8, 1, 4, 7, 0, 3, 6]
    assert receiver.do("received_by_class") == {"2": 3, "1": 3, "0": 3}


@priorities
def test_a_low_message_that_finds_the_queue_full_waits_like_any_other(start: StartPeer) -> None:
    receiver = opened(start, "receiver", 3)
    sender = opened(start, "sender", 3)
    assert sender.do("send_until_full", size=512, limit=100) == 10
    with pytest.raises(PeerError) as full:
        sender.do("send", sequence=10, size=512, timeout_s=0.05)
    assert (full.value.kind, full.value.errno_name) == ("ChannelFull", "EAGAIN")
    assert len(numbers(receiver)) == 10
