"""Two processes change the same words: what is lost without the lock, and that nothing is lost with it."""

from __future__ import annotations

import pytest
import sysv_ipc

from conformance.conftest import StartPeer, kernel_objects
from conformance.harness.peers import Peer, PeerError
from ipclab import mechanisms
from ipclab.contract.channel import Address, Switch, Traits
from ipclab.contract.optional_parts import shares_words
from ipclab.pair.race import WORDS

ENOUGH = 2000
KILLS = 6
NOTHING = {"updates": 0, "lost_updates": 0, "records_read": 0, "torn_reads": 0}


def _has_sync(traits: Traits) -> bool:
    return Switch.RACE_LOCK in traits.switches


sharing = pytest.mark.mechanisms(picks=_has_sync)


def race(start: StartPeer, side: str, *, locked: bool = True) -> Peer:
    """One side in a process of its own."""
    peer = start()
    peer.do("race", side=side, locked=locked)
    return peer


def share(start: StartPeer, side: str) -> Peer:
    """One side that has the words open."""
    peer = start()
    peer.do("share_words", side=side)
    return peer


def test_a_mechanism_shares_words_if_it_says_so(name: str, traits: Traits) -> None:
    assert shares_words(mechanisms.load(name)) is _has_sync(traits)


@sharing
def test_without_the_lock_updates_are_lost_and_records_are_torn(start: StartPeer) -> None:
    consumer, _ = race(start, "CONSUMER", locked=False), race(start, "PRODUCER")
    seen = consumer.do("race_until", locked="off", lost_updates=1, torn_reads=1)
    assert seen["lost_updates"] > 0
    assert seen["torn_reads"] > 0
    assert seen["lost_updates"] < seen["updates"]
    assert seen["torn_reads"] <= seen["records_read"]
    assert consumer.do("tallies")["on"] == NOTHING


@sharing
def test_with_the_lock_nothing_is_lost_nor_torn(start: StartPeer) -> None:
    consumer, _ = (
        race(start, "CONSUMER"),
        race(start, "PRODUCER", locked=False),
    )  # it is the consumer's word that counts
    seen = consumer.do("race_until", locked="on", updates=ENOUGH, records_read=ENOUGH // 4)
    assert seen["updates"] >= ENOUGH
    assert seen["records_read"] >= ENOUGH // 4
    assert (seen["lost_updates"], seen["torn_reads"]) == (0, 0)
    assert consumer.do("tallies")["off"] == NOTHING


@sharing
def test_both_follow_the_switch_and_each_round_counts_as_it_was_run(start: StartPeer) -> None:
    consumer, _ = race(start, "CONSUMER"), race(start, "PRODUCER")
    for _ in range(2):
        consumer.do("switch_lock", on=False)
        assert consumer.do("race_until", locked="off", lost_updates=1)["lost_updates"] > 0
        consumer.do("switch_lock", on=True)
        assert consumer.do("race_until", locked="on", updates=200)["updates"] >= 200
    on = consumer.do("tallies")["on"]
    assert (on["lost_updates"], on["torn_reads"]) == (0, 0)


@sharing
def test_killing_either_side_blames_nothing_on_the_lock(start: StartPeer) -> None:
    consumer, producer = race(start, "CONSUMER"), race(start, "PRODUCER")
    for number in range(KILLS):
        seen = consumer.do("race_until", locked="on", updates=100)
        assert seen["updates"] >= 100
        assert (seen["lost_updates"], seen["torn_reads"]) == (0, 0)
        if number % 2:
            consumer.kill()
            consumer = race(start, "CONSUMER")
        else:
            producer.kill()
            producer = race(start, "PRODUCER")


@sharing
@pytest.mark.parametrize("holder", ["CONSUMER", "PRODUCER"])
def test_the_lock_of_one_that_was_killed_is_free(holder: str, start: StartPeer) -> None:
    peers = {side: share(start, side) for side in ("CONSUMER", "PRODUCER")}
    victim = peers.pop(holder)
    (survivor,) = peers.values()
    assert victim.do("lock_words")
    assert not survivor.do("lock_words")
    victim.kill()
    assert survivor.do("lock_words")
    survivor.do("unlock_words")
    again = share(start, holder)
    assert again.do("lock_words")
    assert not survivor.do("lock_words")


@sharing
def test_words_are_shared_and_outlive_both(start: StartPeer) -> None:
    consumer = share(start, "CONSUMER")
    producer = share(start, "PRODUCER")
    assert [consumer.do("word", index=index) for index in range(WORDS)] == [0] * WORDS
    for index, value in ((0, 1), (WORDS - 1, 2**64 - 1)):
        assert producer.do("word", index=index, value=value) == value
        assert consumer.do("word", index=index) == value
    producer.kill()
    consumer.kill()
    assert share(start, "CONSUMER").do("word", index=WORDS - 1) == 2**64 - 1


@sharing
def test_a_producer_finds_nothing_before_the_consumer_has_made_it(start: StartPeer) -> None:
    with pytest.raises(PeerError) as absent:
        share(start, "PRODUCER")
    assert (absent.value.kind, absent.value.errno_name) == ("PeerAbsent", "ENOENT")


@sharing
def test_removing_the_channel_takes_the_words_along(start: StartPeer, receiver: Peer, address: Address) -> None:
    before = kernel_objects()
    names = set(address.path.parent.iterdir())
    consumer = share(start, "CONSUMER")
    assert kernel_objects() != before or set(address.path.parent.iterdir()) != names
    assert consumer.do("words_are_linked")
    receiver.do("remove")
    assert not consumer.do("words_are_linked")


@pytest.mark.mechanisms(among=["sysv_shm"])
def test_a_segment_of_words_that_is_removed_and_still_attached_is_noticed(start: StartPeer, address: Address) -> None:
    consumer = share(start, "CONSUMER")
    assert consumer.do("words_are_linked")
    segment = sysv_ipc.SharedMemory(address.key + 1)
    segment.remove()
    segment.detach()
    assert not consumer.do("words_are_linked")
    consumer.do("close_words")
    assert list(address.path.parent.iterdir()) == []


@sharing
def test_the_race_goes_on_with_new_words_when_they_were_removed(start: StartPeer, receiver: Peer) -> None:
    consumer, _ = race(start, "CONSUMER"), race(start, "PRODUCER")
    assert consumer.do("race_until", locked="on", updates=50)["updates"] >= 50
    receiver.do("remove")
    before = consumer.do("tallies")["on"]["updates"]
    seen = consumer.do("race_until", locked="on", updates=ENOUGH)
    assert seen["updates"] >= before + ENOUGH
    assert (seen["lost_updates"], seen["torn_reads"]) == (0, 0)


@pytest.mark.mechanisms(among=["mmap_file", "plain_file", "posix_shm"])
def test_a_side_is_one_process_at_a_time(start: StartPeer) -> None:
    sides = {side: share(start, side) for side in ("CONSUMER", "PRODUCER")}
    for side, first in sides.items():
        with pytest.raises(PeerError) as refused:
            share(start, side)
        assert (refused.value.kind, refused.value.errno_name) == ("AccessRefused", "EAGAIN")
        first.kill()
        share(start, side)


@pytest.mark.mechanisms(among=["mmap_file", "plain_file"])
def test_a_file_of_somebody_else_is_left_alone(start: StartPeer, address: Address) -> None:
    other = address.path.with_name(f"{address.path.name}.words")
    other.write_text("a letter")
    with pytest.raises(PeerError) as refused:
        share(start, "CONSUMER")
    assert (refused.value.kind, refused.value.errno_name) == ("Unusable", "EEXIST")
    assert other.read_text() == "a letter"
