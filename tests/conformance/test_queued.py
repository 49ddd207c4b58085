"""How full a pipe or a socket is: the receiver says what the kernel holds for it, and the sender what it can know."""

from __future__ import annotations

import pytest

from conformance.harness.peers import Peer
from ipclab.contract.channel import Kind, OnFull, Persistence, Traits
from labctl.terminal.waiting import wait_until

SIZE = 4000


def test_the_kernel_tells_of_buffers_that_live_with_their_processes(receiver: Peer, traits: Traits) -> None:
    """What lives longer has a name or a key, by which anybody can look: that is `ipclab.kernel_exporter.exporter`'s
    part."""
    assert (receiver.do("held") is not None) is (traits.persistence is Persistence.PROCESS)


@pytest.mark.mechanisms(picks=lambda traits: traits.persistence is Persistence.PROCESS)
def test_a_full_buffer_shows_and_an_empty_one_too(sender: Peer, receiver: Peer, traits: Traits) -> None:
    sender.do("send", sequence=0, size=SIZE)
    assert receiver.do("receive") == [0, SIZE]
    empty, limit = receiver.do("held")
    assert empty == 0 < limit
    descriptors = receiver.do("open_descriptors")
    taken = sender.do("send_until_full", size=SIZE, limit=3000)
    held, limit = receiver.do("held")
    assert limit / 4 < held
    # UDP takes one more as long as the limit is not passed; a datagram's pages are more than its bytes.
    assert held <= limit + (4 * SIZE if traits.on_full is OnFull.DROP else 0)
    if traits.kind is Kind.BYTE_STREAM and "tcp" not in traits.man_page:  # TCP: half of it waits at the sender's
        assert held >= taken * SIZE
    assert receiver.do("open_descriptors") == descriptors
    receiver.do("drain")
    assert receiver.do("held")[0] == 0


@pytest.mark.mechanisms(picks=lambda traits: traits.persistence is Persistence.PROCESS)
def test_the_sender_tells_what_waits_while_the_receiver_stands_still(
    sender: Peer, receiver: Peer, traits: Traits
) -> None:
    """A paused consumer cannot be asked. Of a datagram that has left, its sender knows nothing."""
    sender.do("send", sequence=0, size=SIZE)
    assert receiver.do("receive") == [0, SIZE]
    if traits.on_full is OnFull.DROP:
        assert sender.do("held") is None
        return
    taken = sender.do("send_until_full", size=SIZE, limit=3000)
    held, limit = sender.do("held")
    assert limit / 4 < held
    if "tcp" not in traits.man_page:  # of TCP it is the sender's side alone: what the other has taken over is not in it
        assert held >= taken * SIZE
    receiver.do("drain")
    wait_until(lambda: sender.do("held")[0] == 0, 5)
