"""A peer that falls silent without a word is given up by the limits that `tcp` sets, and a slow one is waited for.

A socket filter that lets nothing through (SO_ATTACH_FILTER, socket(7)) stands for the cut: what arrives is dropped
before TCP sees it, so nobody acknowledges anything and nobody is told. tests/lab/test_cut.py cuts a real network; there
ARP may notice first.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ipclab.contract.channel import Address, Mechanism, Receiver, Sender
from ipclab.contract.errors import ChannelFull, PeerGone, ReceiveTimeout

pytestmark = pytest.mark.mechanisms(among=["tcp"])

_SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>
_SO_DETACH_FILTER = 27
_DROP = struct.pack("=HBBI", 0x06, 0, 0, 0)  # BPF_RET, of nothing: <linux/filter.h>
# The promise is 7 s, and the kernel's own limits are 15 s and longer; what is between is for a busy machine.
NOTICED_WITHIN_S = 10.0
PAUSE_S = 8.0  # longer than the limit to silence


@pytest.fixture
def ends(mechanism: Mechanism, address: Address) -> Iterator[tuple[Sender, Receiver]]:
    """A connection on which one message has come through."""
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        sender.send(memoryview(b"before"), 1.0)
        assert receiver.receive_into(memoryview(bytearray(100)), 1.0) == len(b"before")
        yield sender, receiver
        receiver.remove()


def connections(address: Address, *, accepted_only: bool = False) -> list[socket.socket]:
    """The ends of connections to the receiver's port that this process has; `detach` them, they belong to others."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        if not (link.is_symlink() and str(link.readlink()).startswith("socket:")):
            continue
        end = socket.socket(fileno=int(link.name))
        ports = []
        with suppress(OSError):  # not connected
            if end.family == socket.AF_INET:
                ports = [end.getsockname()[1], end.getpeername()[1]]
        if address.port in ports[: 1 if accepted_only else 2]:
            found.append(end)
        else:
            end.detach()
    return found


def cut(address: Address) -> None:
    """Let nothing in any more, at both ends."""
    program = ctypes.create_string_buffer(_DROP, len(_DROP))
    ends = connections(address)
    assert len(ends) == 2
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
        end.detach()


def mend(address: Address) -> None:
    """Undo `cut`."""
    for end in connections(address):
        end.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        end.detach()


def is_served(address: Address) -> bool:
    """Whether the receiver still has a connection."""
    ends = connections(address, accepted_only=True)
    for end in ends:
        end.detach()
    return bool(ends)


def test_a_sender_gives_up_what_nobody_acknowledges(ends: tuple[Sender, Receiver], address: Address) -> None:
    sender, _ = ends
    cut(address)
    give_up = time.monotonic() + NOTICED_WITHIN_S
    with pytest.raises(PeerGone) as gone:  # noqa: PT012 - which of the sends finds out is up to the kernel
        while time.monotonic() < give_up:
            sender.send(memoryview(b"into the void"), 1.0)
            time.sleep(0.05)
    assert gone.value.errno_name == "ETIMEDOUT"


def test_a_receiver_lets_go_of_a_sender_that_does_not_answer(ends: tuple[Sender, Receiver], address: Address) -> None:
    _, receiver = ends
    assert is_served(address)
    cut(address)
    give_up = time.monotonic() + NOTICED_WITHIN_S
    while is_served(address) and time.monotonic() < give_up:
        with suppress(ReceiveTimeout):
            receiver.receive_into(memoryview(bytearray(100)), 0.2)
    assert not is_served(address)


def message(number: int, size: int) -> memoryview:
    return memoryview(number.to_bytes(4, "little") * (size // 4))


def send_for(sender: Sender, seconds: float, size: int) -> int:
    """Send numbered messages until then, whether there is room or not; how many were taken."""
    number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(ChannelFull):
            sender.send(message(number, size), 0.1)
            number += 1
    return number


def assert_all_arrive(sender: Sender, receiver: Receiver, size: int, sent: int) -> None:
    """All that were sent, and one more: with it the sender finishes the one that the kernel took a part of."""
    buffer = memoryview(bytearray(size))
    for number in range(sent + 1):
        if number == sent - 1:
            sender.send(message(sent, size), 1.0)
        assert receiver.receive_into(buffer, 5.0) == size
        assert buffer == message(number, size), f"the message after {number - 1} is another one"


@pytest.mark.parametrize("size", [64, 65536])
def test_a_receiver_that_is_paused_is_waited_for_and_nothing_is_lost(ends: tuple[Sender, Receiver], size: int) -> None:
    sender, receiver = ends
    assert_all_arrive(sender, receiver, size, send_for(sender, PAUSE_S, size))


def test_a_sender_that_waits_for_a_paused_receiver_gives_up_a_silent_one(
    ends: tuple[Sender, Receiver], address: Address
) -> None:
    sender, _ = ends
    send_for(sender, PAUSE_S, 65536)
    cut(address)
    with pytest.raises(PeerGone) as gone:
        send_for(sender, NOTICED_WITHIN_S, 65536)
    assert gone.value.errno_name == "ETIMEDOUT"


def test_a_receiver_that_was_silent_for_a_moment_is_heard_again(
    ends: tuple[Sender, Receiver], address: Address
) -> None:
    sender, receiver = ends
    cut(address)
    sent = send_for(sender, 3.0, 65536)
    mend(address)
    assert_all_arrive(sender, receiver, 65536, sent)
