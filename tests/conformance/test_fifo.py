"""Two writers of one FIFO: never mixed up to PIPE_BUF, mixed above it, and then counted and got over (pipe(7))."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer
from ipclab.building_blocks.framing import ATOMIC_BYTES, PREFIX_BYTES

pytestmark = pytest.mark.mechanisms(among=["fifo"])
LARGEST_ATOMIC = ATOMIC_BYTES - PREFIX_BYTES
TORN = -2


def both_send(start: StartPeer, receiver: Peer, *, count: int, size: int) -> list[int]:
    """What arrives of `count` messages of each of two writers; `TORN` for what is no message."""
    writers = [start(), start()]
    for writer in writers:
        writer.do("open", role="sender")
    for number, writer in enumerate(writers):
        writer.begin("send_numbers", first=number * count, count=count, size=size)
    receiver.begin("drain", quiet_s=1)
    for writer in writers:
        writer.end()
    return [number for number, _ in receiver.end()]


def test_up_to_pipe_buf_nothing_is_mixed(receiver: Peer, start: StartPeer) -> None:
    seen = both_send(start, receiver, count=1500, size=LARGEST_ATOMIC)
    assert sorted(seen) == list(range(3000))
    for first in (0, 1500):
        own = [number for number in seen if first <= number < first + 1500]
        assert own == sorted(own)


def test_above_it_mixed_messages_are_counted_and_cost_no_others(receiver: Peer, start: StartPeer) -> None:
    seen = both_send(start, receiver, count=30, size=1 << 20)
    assert TORN in seen, "nothing was mixed: this pipe never was full"
    whole = [number for number in seen if number != TORN]
    assert set(whole) <= set(range(60)), "an altered message was delivered"
    assert len(whole) == len(set(whole)) < 60
    assert seen.count(TORN) == 60 - len(whole), "each mixed message counts once"
    again = start()
    again.do("open", role="sender")
    for number, size in ((100, LARGEST_ATOMIC + 1), (101, 100)):
        again.do("send", sequence=number, size=size)
        assert receiver.do("receive") == [number, size]
