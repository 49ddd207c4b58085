"""Messages arrive whole, in order, with their borders; what does not fit is refused and harms nothing."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Kind, OnFull, Traits
from ipclab.contract.errors import FULL


def sizes(traits: Traits) -> list[int]:
    """Small, around the kernel's own units, and the largest."""
    wanted = [1, 64, 4084, 4096, 4097, 8192, 65536, 70001, traits.max_message_bytes]
    return [size for size in wanted if size <= traits.max_message_bytes]


def test_every_size_arrives_with_its_borders(sender: Peer, receiver: Peer, traits: Traits) -> None:
    for number, size in enumerate(sizes(traits)):
        # The receiver asks first: a message larger than the kernel's buffer needs somebody who reads.
        receiver.begin("receive", timeout_s=10)
        sender.do("send", sequence=number, size=size, timeout_s=10)
        assert receiver.end() == [number if size > 20 else -1, size]


def test_a_burst_arrives_in_order(sender: Peer, receiver: Peer, traits: Traits) -> None:
    sent = sender.do("send_until_full", size=512, limit=200)
    assert sent > 1
    seen = [number for number, _ in receiver.do("drain")]
    _assert_all_accounted_for(sent, seen, receiver, traits)
    if traits.ordered:
        assert seen == sorted(seen)


def test_too_large_is_refused_and_the_channel_goes_on(sender: Peer, receiver: Peer, traits: Traits) -> None:
    with pytest.raises(PeerError) as refused:
        sender.do("send", sequence=1, size=traits.max_message_bytes + 1)
    assert (refused.value.kind, refused.value.errno_name) == ("MessageTooLarge", "EMSGSIZE")
    sender.do("send", sequence=2, size=100)
    assert receiver.do("receive") == [2, 100]


def test_a_small_buffer_loses_one_message_and_says_so(sender: Peer, receiver: Peer) -> None:
    sender.do("send", sequence=1, size=1000)
    sender.do("send", sequence=2, size=100)
    with pytest.raises(PeerError) as refused:
        receiver.do("receive", buffer_bytes=200)
    assert refused.value.kind == "MessageTooLarge"
    assert receiver.do("receive", buffer_bytes=200) == [2, 100]


def test_an_empty_channel_times_out(sender: Peer, receiver: Peer) -> None:
    with pytest.raises(PeerError) as timeout:
        receiver.do("receive", timeout_s=0.05)
    assert timeout.value.kind == "ReceiveTimeout"
    sender.do("send", sequence=7, size=64)
    assert receiver.do("receive") == [7, 64]


def test_a_full_channel_does_what_its_traits_say(sender: Peer, receiver: Peer, traits: Traits) -> None:
    size = min(8192, traits.max_message_bytes)
    match traits.on_full:
        case OnFull.BLOCK:
            _assert_it_blocks(sender, receiver, traits, size)
        case OnFull.DROP:
            _assert_it_drops(sender, receiver, traits, size)
        case _:
            pytest.fail(f"nobody has written down yet what {traits.on_full} has to show")


def _assert_it_blocks(sender: Peer, receiver: Peer, traits: Traits, size: int) -> None:
    taken = sender.do("send_until_full", size=size, limit=100_000)
    assert 0 < taken < 100_000, "the channel never was full"
    full = None
    while not full and taken < 100_000:  # TCP takes some more when its window is asked about again
        try:
            sender.do("send", sequence=taken, size=size, timeout_s=0.05)
            taken += 1
        except PeerError as error:
            full = error
    assert full
    # A full ring is nothing that a system call says.
    assert (full.kind, full.errno_name) == ("ChannelFull", FULL if traits.kind is Kind.SHARED_MEMORY else "EAGAIN")
    assert full.errno_name in traits.send_errnos
    # A blocked sender goes on as soon as there is room, and no message was sent twice or lost.
    sender.begin("send", sequence=taken, size=size, timeout_s=20)
    seen = receiver.do("drain")
    sender.end()
    assert [number for number, _ in seen] == list(range(taken + 1))


def _assert_it_drops(sender: Peer, receiver: Peer, traits: Traits, size: int) -> None:
    flood = 2000
    assert sender.do("send_until_full", size=size, limit=flood) == flood, "the sender was told, and need not be"
    seen = [number for number, _ in receiver.do("drain")]
    assert 0 < len(seen) < flood
    _assert_all_accounted_for(flood, seen, receiver, traits)
    # What was dropped is gone; there is room again for what comes.
    sender.do("send", sequence=flood, size=size)
    assert receiver.do("receive") == [flood, size]


def _assert_all_accounted_for(sent: int, seen: list[int], receiver: Peer, traits: Traits) -> None:
    """Each number arrived once, or the kernel counted it as dropped, which only a mechanism that says so may do."""
    dropped = receiver.do("kernel_drops")
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(sent))
    assert len(seen) + dropped == sent
    assert dropped == 0 or traits.on_full is OnFull.DROP


def test_no_call_outlasts_its_timeout_by_far(sender: Peer, receiver: Peer, traits: Traits) -> None:
    # A bound against hanging, not a measurement: a hundred times the timeout.
    assert receiver.do("seconds", of="receive", arguments={"timeout_s": 0.05}) < 5
    size = min(8192, traits.max_message_bytes)
    taken = sender.do("send_until_full", size=size, limit=100_000)
    arguments = {"sequence": taken, "size": size, "timeout_s": 0.05}
    assert sender.do("seconds", of="send", arguments=arguments) < 5


def test_endpoints_hold_no_descriptor_after_close(start: StartPeer) -> None:
    receiver, sender = start(), start()
    before = [receiver.do("open_descriptors"), sender.do("open_descriptors")]
    receiver.do("open", role="receiver")
    sender.do("open", role="sender")
    sender.do("send", sequence=1, size=100)
    assert receiver.do("receive") == [1, 100]
    sender.do("close")
    receiver.do("close")
    assert [receiver.do("open_descriptors"), sender.do("open_descriptors")] == before
