"""Where a mechanism leaves a choice how to wait, every choice of one side works with every choice of the other."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab import mechanisms
from ipclab.contract.channel import Traits, Tuning, Wait


def _leaves_a_choice(traits: Traits) -> bool:
    return len(traits.waits) > 1


def _open(start: StartPeer, role: str, wait: Wait) -> Peer:
    peer = start()
    peer.do("tune", wait=wait)
    peer.do("open", role=role)
    return peer


def test_what_is_not_offered_is_refused(name: str, traits: Traits) -> None:
    assert traits.waits
    for wait in set(Wait) - set(traits.waits):
        with pytest.raises(ValueError, match=f"{name} cannot {wait}"):
            mechanisms.load(name, Tuning(wait=wait))


@pytest.mark.mechanisms(picks=_leaves_a_choice)
@pytest.mark.parametrize("sends", [0, 1])
@pytest.mark.parametrize("receives", [0, 1])
def test_a_message_more_than_fits_goes_through(sends: int, receives: int, start: StartPeer, traits: Traits) -> None:
    assert len(traits.waits) == 2
    receiver, sender = (
        _open(start, role, traits.waits[way]) for role, way in (("receiver", receives), ("sender", sends))
    )
    receiver.begin("receive", timeout_s=10)
    sender.do("send", sequence=1, size=100)
    assert receiver.end() == [1, 100]
    taken = sender.do("send_until_full", size=50_000, limit=1000)
    with pytest.raises(PeerError) as full:
        sender.do("send", sequence=taken, size=50_000, timeout_s=0.05)
    assert full.value.kind == "ChannelFull"
    sender.begin("send", sequence=taken, size=50_000, timeout_s=20)
    seen = [number for number, _ in receiver.do("drain")]
    sender.end()
    assert seen == list(range(taken + 1))
    with pytest.raises(PeerError) as empty:
        receiver.do("receive", timeout_s=0.05)
    assert empty.value.kind == "ReceiveTimeout"


@pytest.mark.mechanisms(picks=lambda traits: Wait.SPIN in traits.waits)
def test_only_blocking_gives_up_the_processor(start: StartPeer) -> None:
    sleeps = {}
    for wait in (Wait.BLOCK, Wait.SPIN):
        receiver = _open(start, "receiver", wait)
        sleeps[wait] = receiver.do("sleeps", of="receive", arguments={"timeout_s": 0.3})
        receiver.do("close")
    assert sleeps[Wait.BLOCK] > 0
    assert sleeps[Wait.SPIN] == 0


@pytest.mark.mechanisms(picks=lambda traits: Wait.SPIN in traits.waits)
def test_a_receiver_that_blocks_is_woken_after_one_that_spun(start: StartPeer) -> None:
    spins = _open(start, "receiver", Wait.SPIN)
    sender = _open(start, "sender", Wait.BLOCK)
    sender.do("send", sequence=1, size=100)
    assert spins.do("receive") == [1, 100]
    spins.kill()
    blocks = _open(start, "receiver", Wait.BLOCK)
    blocks.begin_and_block("seconds", of="receive", arguments={"timeout_s": 8})
    sender.do("send", sequence=2, size=100)
    assert blocks.end() < 4
